import { DeferError } from '../../errors.ts';
import type { Queryable } from '../pool.ts';
import type { Part } from './part-import.ts';

/** How often a claim is repeated because an owner was taken back while it was looked up. */
const MOST_CLAIMS = 5;

/**
 * Notes which of the part's events are live already, in the temporary table `part_live`, and keeps them so until the
 * transaction ends: their owner cannot be taken back in between. `batch_id` NULL: live ingestion wrote it. The part's
 * own time range, as constants, spares the other days the look.
 */
export async function findLiveRows(db: Queryable): Promise<void> {
  const { rows } = await db.query<{ first: Date; last: Date }>(
    'select min(event_ts) as first, max(event_ts) as last from pg_temp.part_rows',
  );
  await db.query(
    'create temporary table part_live (event_id text collate "C" primary key, batch_id text) on commit drop',
  );
  await db.query(
    `insert into pg_temp.part_live (event_id, batch_id)
     select l.event_id, l.batch_id
       from analytics.events_log l
      where l.event_ts between $1 and $2 and l.deleted_at is null
        and (l.event_id, l.event_ts) in (select r.event_id, r.event_ts from pg_temp.part_rows r)
      order by l.event_id
        for share`,
    [rows[0]?.first, rows[0]?.last],
  );
}

/** One round of claims, in key order, so that two importers with the same events wait instead of deadlocking. */
async function claimFreeKeys(db: Queryable, batchId: string): Promise<void> {
  await db.query(
    `with claimed as (
       insert into analytics.backfill_event_checkpoint (event_id, batch_id)
       select distinct r.event_id, $1 from pg_temp.part_rows r
        where not exists (select 1 from pg_temp.part_live l where l.event_id = r.event_id)
          and not exists (select 1 from pg_temp.part_owner o where o.event_id = r.event_id)
        order by r.event_id
       on conflict do nothing
       returning event_id
     )
     insert into pg_temp.part_owner (event_id, batch_id, is_claimed) select event_id, $1, true from claimed`,
    [batchId],
  );
}

/**
 * Looks up who owns the keys that were not to be had, and holds them. In a statement after the claim, because a key
 * that was committed while the claim waited is invisible to the claim's own snapshot.
 *
 * @returns how many keys have no owner after all: it was taken back in between.
 */
async function findOwners(db: Queryable): Promise<number> {
  await db.query(
    `insert into pg_temp.part_owner (event_id, batch_id, is_claimed)
     select c.event_id, c.batch_id, false
       from analytics.backfill_event_checkpoint c
      where c.event_id in (
              select r.event_id from pg_temp.part_rows r
               where not exists (select 1 from pg_temp.part_live l where l.event_id = r.event_id)
                 and not exists (select 1 from pg_temp.part_owner o where o.event_id = r.event_id))
      order by c.event_id
        for key share`,
  );
  const { rows } = await db.query<{ unowned: number }>(
    `select count(*) as unowned from pg_temp.part_rows r
      where not exists (select 1 from pg_temp.part_live l where l.event_id = r.event_id)
        and not exists (select 1 from pg_temp.part_owner o where o.event_id = r.event_id)`,
  );
  return rows[0]?.unowned ?? 0;
}

/**
 * Claims the keys of the part's events that nobody has. Afterwards the temporary table `part_owner` names an owner for
 * every event that is not live, and no owner can go before the transaction ends.
 *
 * @throws {DeferError} when owners kept going; nothing is lost, the part comes back.
 */
export async function claimKeys(db: Queryable, part: Part): Promise<void> {
  await db.query(
    `create temporary table part_owner (
       event_id text collate "C" primary key, batch_id text not null, is_claimed boolean not null
     ) on commit drop`,
  );
  for (let round = 0; round < MOST_CLAIMS; round += 1) {
    await claimFreeKeys(db, part.batch_id);
    await db.query('analyze pg_temp.part_owner');
    if ((await findOwners(db)) === 0) return;
  }
  throw new DeferError(`the owners of part ${part.part_id}'s events keep changing`, 1_000);
}
