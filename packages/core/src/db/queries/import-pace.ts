import { DeferError } from '../../errors.ts';
import type { Queryable } from '../pool.ts';

/** A part waits at least this long, so that many of them do not ask all the time. */
const LEAST_WAIT_MS = 50;
/** Of one part. */
const MOST_EVENTS = 50_000;

/**
 * Books the time that a part's events take at the batch's rate, all its importers together. A part that does not come to
 * its commit afterwards books again: the rate is never exceeded, at worst not reached. A time that is further ahead than any
 * part could have booked was booked before the clock went back.
 *
 * @throws {DeferError} until the parts booked before have had their time.
 */
export async function bookImportTime(
  db: Queryable,
  part: { batch_id: string; event_count: number },
  eventsPerSecond: number,
): Promise<void> {
  const seconds = part.event_count / eventsPerSecond;
  const { rowCount } = await db.query(
    `insert into analytics.backfill_import_pace as pace (batch_id, next_at)
     values ($1, clock_timestamp() + $2 * interval '1 second')
     on conflict (batch_id) do update set next_at = clock_timestamp() + $2 * interval '1 second'
      where pace.next_at <= clock_timestamp() or pace.next_at > clock_timestamp() + $3 * interval '1 second'`,
    [part.batch_id, seconds, MOST_EVENTS / eventsPerSecond],
  );
  if (rowCount === 1) return;
  const { rows } = await db.query<{ wait_ms: number }>(
    `select extract(epoch from next_at - clock_timestamp()) * 1000 as wait_ms
       from analytics.backfill_import_pace where batch_id = $1`,
    [part.batch_id],
  );
  const waitMs = Math.max(LEAST_WAIT_MS, Math.ceil(rows[0]?.wait_ms ?? 0));
  throw new DeferError(`batch ${part.batch_id} may stage ${eventsPerSecond} events a second`, waitMs);
}
