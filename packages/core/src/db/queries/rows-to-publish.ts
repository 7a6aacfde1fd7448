import type { Client, Queryable } from '../pool.ts';

/**
 * Whether a batch may publish an event it lost (`l`): another batch has it, whose rows are not live; or they are, of another
 * attempt than the one that had the event; or whoever has it is what the batch replaces. Never what belongs to somebody who
 * was suppressed at the verification.
 */
const MAY_PUBLISH = `
  not l.withheld
  and (coalesce((select not w.rows_live or w.attempt <> l.winner_attempt
                   from analytics.backfill_batches w where w.batch_id = l.winner_batch_id), false)
       or coalesce((select case when l.winner_batch_id is null then b.replaces_live
                                else b.replaces_batch_id = l.winner_batch_id end
                      from analytics.backfill_batches b where b.batch_id = l.loser_batch_id), false))`;

/** What is in force now, or was when it was written down: a clock that goes back lifts no suppression. */
const IN_FORCE = 'p.effective_from <= greatest(now(), p.recorded_at)';

/** Lets go what was withheld of people who are not suppressed any more. */
async function releaseWithheld(client: Client, batchId: string): Promise<void> {
  const released = `
    l.loser_batch_id = $1 and l.withheld and not exists (
      select 1 from analytics.events_backfill_staging s
        join analytics.privacy_suppressions p on p.subject_id = s.subject_id and ${IN_FORCE}
       where s.batch_id = $1 and s.event_id = l.event_id)`;
  await client.query(`delete from analytics.backfill_losers l where ${released} and l.only_withheld`, [batchId]);
  await client.query(`update analytics.backfill_losers l set withheld = false where ${released}`, [batchId]);
}

/** Withholds what would be published of people who are suppressed by now, so that it is not part of what is signed. */
async function withholdSuppressed(client: Client, batchId: string): Promise<void> {
  await client.query(
    `insert into analytics.backfill_losers as l (loser_batch_id, event_id, withheld, only_withheld)
     select distinct on (s.event_id) $1, s.event_id, true, true
       from analytics.events_backfill_staging s
       join analytics.privacy_suppressions p on p.subject_id = s.subject_id and ${IN_FORCE}
      where s.batch_id = $1 and s.duplicate_kind is distinct from 'same_batch'
      order by s.event_id
     on conflict (loser_batch_id, event_id) do update set withheld = true where not l.withheld`,
    [batchId],
  );
}

/**
 * Decides which rows the batch's publish would write, as things stand (`analytics.backfill_rows_to_publish`): what
 * somebody else has live by now is recorded as lost, and of what is lost the batch means to publish what its owner has
 * not: the first to publish wins. What belongs to somebody who is suppressed by now is withheld.
 */
export async function markRowsToPublish(client: Client, batchId: string): Promise<void> {
  // In key order, as a publish does it that takes events of this batch over. Counted, so that no row comes here.
  await client.query(
    `with held as (
       select 1 from analytics.backfill_losers where loser_batch_id = $1 order by event_id for no key update
     ) select count(*) from held`,
    [batchId],
  );
  await releaseWithheld(client, batchId);
  // The window as constants: it says in which days PostgreSQL looks.
  const { rows: windows } = await client.query<{ window_start: Date; window_end: Date }>(
    'select window_start, window_end from analytics.backfill_batches where batch_id = $1',
    [batchId],
  );
  await client.query(
    `insert into analytics.backfill_losers as l (loser_batch_id, event_id, winner_batch_id, winner_attempt)
     select distinct on (s.event_id) $1, s.event_id, e.batch_id, w.attempt
       from analytics.events_backfill_staging s
       join analytics.events_log e on e.event_id = s.event_id and e.event_ts = s.event_ts and e.deleted_at is null
       left join analytics.backfill_batches w on w.batch_id = e.batch_id
      where s.batch_id = $1 and s.duplicate_kind is distinct from 'same_batch'
        and e.event_ts >= $2 and e.event_ts < $3
      order by s.event_id
     on conflict (loser_batch_id, event_id) do update
        set winner_batch_id = excluded.winner_batch_id, winner_attempt = excluded.winner_attempt
      where (l.winner_batch_id, l.winner_attempt)
            is distinct from (excluded.winner_batch_id, excluded.winner_attempt)`,
    [batchId, windows[0]?.window_start, windows[0]?.window_end],
  );
  await withholdSuppressed(client, batchId);
  await client.query(
    `update analytics.backfill_losers l set to_publish = not l.to_publish
      where l.loser_batch_id = $1 and l.to_publish is distinct from (${MAY_PUBLISH})`,
    [batchId],
  );
}

/** True when an owner was published, or taken back, since the rows to publish were decided. */
export async function areRowsToPublishStale(db: Queryable, batchId: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `select 1 from analytics.backfill_losers l
      where l.loser_batch_id = $1 and l.to_publish is distinct from (${MAY_PUBLISH}) limit 1`,
    [batchId],
  );
  return rowCount === 1;
}

/**
 * True when the batch could publish more than it means to: an owner was taken back since. To be asked while the owners
 * are held (`holdOwners`).
 */
export async function canPublishMore(db: Queryable, batchId: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `select 1 from analytics.backfill_losers l
      where l.loser_batch_id = $1 and not l.to_publish and ${MAY_PUBLISH} limit 1`,
    [batchId],
  );
  return rowCount === 1;
}
