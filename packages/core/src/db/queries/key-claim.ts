import type { Queryable } from '../pool.ts';

/**
 * Notes which of the part's events are live already, in the temporary table `part_live`. `batch_id` NULL: live
 * ingestion wrote it.
 */
export async function findLiveRows(db: Queryable): Promise<void> {
  await db.query(
    `create temporary table part_live on commit drop as
     select distinct r.event_id, l.batch_id
       from pg_temp.part_rows r
       join analytics.events_log l on l.event_id = r.event_id and l.event_ts = r.event_ts and l.deleted_at is null`,
  );
}

/**
 * Claims the keys of the part's events that nobody has, and notes the claimed ones in the temporary table
 * `part_claimed`. In key order, so that two importers with the same events wait for each other instead of deadlocking.
 */
export async function claimKeys(db: Queryable, batchId: string): Promise<void> {
  await db.query(`create temporary table part_claimed (event_id text collate "C" primary key) on commit drop`);
  await db.query(
    `with claimed as (
       insert into analytics.backfill_event_checkpoint (event_id, batch_id)
       select distinct r.event_id, $1 from pg_temp.part_rows r
        where not exists (select 1 from pg_temp.part_live l where l.event_id = r.event_id)
        order by r.event_id
       on conflict do nothing
       returning event_id
     )
     insert into pg_temp.part_claimed select event_id from claimed`,
    [batchId],
  );
}
