import { replacedValues } from '@backfill/core/db/queries/replaced-rows';
import type { BatchReader } from '@backfill/core/dispatch/read-for-batch';
import type { GateResult } from '@backfill/core/domain/gate-result';
import type { Plan } from '@backfill/core/plan/plan';

const MINUTE_MS = 60_000;

/** Live rows only count where they are later than the batch's own, and are not replaced; the times as constants say in which days to look. */
const LATEST_SQL = `
  select $3::timestamptz as window_start, $4::timestamptz as window_end,
         (select max(event_ts) from analytics.events_backfill_staging where batch_id = $1) as delivered,
         (select max(event_ts) from analytics.events_log
           where source = $2 and event_ts >= $3 and event_ts < $4 and deleted_at is null
             and not ($5 and batch_id is not distinct from $6)
             and event_ts >= coalesce(
                   (select max(event_ts) from analytics.events_backfill_staging where batch_id = $1), $3)) as stored`;

interface Latest {
  window_start: Date;
  window_end: Date;
  /** Of the staged rows, whoever has them: repeats and what others deliver too show that the log reaches so far. */
  delivered: Date | null;
  stored: Date | null;
}

/**
 * Whether the events reach the window's end: how many minutes before it the latest lies, staged or live. Of a window
 * without any event, all of it.
 */
export function freshnessGate({ window_start, window_end, ...latest }: Latest, thresholdMinutes: number): GateResult {
  const lastMs = Math.max(window_start.getTime(), latest.delivered?.getTime() ?? 0, latest.stored?.getTime() ?? 0);
  const observed = Math.max(0, (window_end.getTime() - lastMs) / MINUTE_MS);
  const passed = observed <= thresholdMinutes;
  const isEmpty = latest.delivered === null && latest.stored === null;
  const found = isEmpty ? 'there is no event in it' : `the latest event is of ${new Date(lastMs).toISOString()}`;
  return {
    gate: 'freshness',
    threshold: thresholdMinutes,
    observed,
    passed,
    procedure: LATEST_SQL.trim(),
    detail: {
      unit: 'minutes',
      window_end: window_end.toISOString(),
      latest_delivered: latest.delivered?.toISOString() ?? null,
      latest_live: latest.stored?.toISOString() ?? null,
      ...(!passed && { why: `the window ends at ${window_end.toISOString()}, and ${found}` }),
    },
  };
}

/** Finds the latest event of a batch's window, staged and live, and judges it. */
export async function measureFreshness(
  read: BatchReader,
  { batchId, recipe: { source, window }, replaces }: Plan,
  thresholdMinutes: number,
): Promise<GateResult> {
  const [isReplacing, target, start, end] = replacedValues({ source: source.source, ...window, replaces });
  const values = [batchId, source.source, start, end, isReplacing, target];
  const { rows } = await read((client) => client.query<Latest>(LATEST_SQL, values));
  return freshnessGate(rows[0] as Latest, thresholdMinutes);
}
