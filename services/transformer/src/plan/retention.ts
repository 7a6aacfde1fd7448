import { z } from 'zod';

const DAY_MS = 86_400_000;

/** The part of a submission that retention looks at. */
const RetentionException = z.object({ why: z.string(), until: z.iso.datetime({ offset: true }) });

/** The exception that a stored submission carries, or null. */
export function retentionExceptionOf(request: Record<string, unknown>): { why: string; until: string } | null {
  const parsed = RetentionException.safeParse(request.retention_exception);
  return parsed.success ? parsed.data : null;
}

/**
 * The cut-offs that a plan fixes: raw objects and events from before them are too old. An exception lifts both.
 *
 * @param now ms since 1970.
 */
export function retentionCutoffs(
  retention: { raw_days: number; event_months: number },
  exception: { until: string } | null,
  now: number,
): { objects: Date | null; eventsMs: number | null } {
  if (exception !== null) return { objects: null, eventsMs: null };
  const events = new Date(now);
  events.setUTCMonth(events.getUTCMonth() - retention.event_months);
  return { objects: new Date(now - retention.raw_days * DAY_MS), eventsMs: events.getTime() };
}
