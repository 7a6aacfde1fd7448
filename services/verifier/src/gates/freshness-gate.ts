import type { BatchReader } from '@backfill/core/dispatch/read-for-batch';
import type { GateResult } from '@backfill/core/domain/gate-result';

const MINUTE_MS = 60_000;

/** Live rows only count where they are later than the batch's own. */
const LATEST_SQL = `
  with delivered as (
    select max(event_ts) as latest from analytics.events_backfill_staging where batch_id = $1
  ), stored as (
    select max(e.event_ts) as latest
      from analytics.backfill_batches b join analytics.events_log e on e.source = b.source and e.deleted_at is null
     where b.batch_id = $1 and e.event_ts < b.window_end
       and e.event_ts >= greatest(b.window_start, (select latest from delivered))
  )
  select b.window_start, b.window_end, d.latest as delivered, s.latest as stored
    from analytics.backfill_batches b, delivered d, stored s where b.batch_id = $1`;

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
  batchId: string,
  thresholdMinutes: number,
): Promise<GateResult> {
  const { rows } = await read((client) => client.query<Latest>(LATEST_SQL, [batchId]));
  return freshnessGate(rows[0] as Latest, thresholdMinutes);
}
