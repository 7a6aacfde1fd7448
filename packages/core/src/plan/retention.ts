import { z } from 'zod';
import { FatalError } from '../errors.ts';

const DAY_MS = 86_400_000;

/** The part of a submission that retention looks at. */
const RetentionException = z.object({ why: z.string(), until: z.iso.datetime({ offset: true }) });

/**
 * The exception that a stored submission carries, or null.
 *
 * @param now ms since 1970.
 * @throws {FatalError} when the exception is not of its form, or has ended.
 */
export function retentionExceptionOf(
  request: Record<string, unknown>,
  now: number,
): { why: string; until: string } | null {
  if (request.retention_exception === undefined) return null;
  const parsed = RetentionException.safeParse(request.retention_exception);
  if (!parsed.success) throw new FatalError('the retention_exception is not of the form {why, until}');
  if (Date.parse(parsed.data.until) <= now) {
    throw new FatalError(`the retention_exception ended at ${parsed.data.until}`);
  }
  return parsed.data;
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
  return {
    objects: new Date(now - retention.raw_days * DAY_MS),
    eventsMs: subtractMonths(new Date(now), retention.event_months),
  };
}

/** The same time of day that many months ago; in a shorter month its last day (31 March less one month: 28 February). */
function subtractMonths(from: Date, months: number): number {
  const target = new Date(from);
  target.setUTCDate(1);
  target.setUTCMonth(target.getUTCMonth() - months);
  const lastDay = new Date(Date.UTC(target.getUTCFullYear(), target.getUTCMonth() + 1, 0)).getUTCDate();
  target.setUTCDate(Math.min(from.getUTCDate(), lastDay));
  return target.getTime();
}
