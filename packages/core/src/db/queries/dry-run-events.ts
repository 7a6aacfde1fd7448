import type { Queryable } from '../pool.ts';

/** Makes the session's temporary table of the events that a dry run has seen. */
export async function createDryRunEvents(db: Queryable): Promise<void> {
  await db.query(
    'create temporary table dry_run_events (event_id text collate "C" not null, event_ts timestamptz(3) not null)',
  );
}

export const DRY_RUN_EVENTS_COPY = 'copy pg_temp.dry_run_events (event_id, event_ts) from stdin';

/** What an import of the events would find, were it to happen now. */
export interface DryRunDuplicates {
  inserted: number;
  same_batch: number;
  other_batch: number;
  live: number;
}

/** Judges the events of the temporary table as an import would: see staging-insert.ts. The batch's own rows are no one's duplicates. */
export async function judgeDryRunEvents(db: Queryable, batchId: string): Promise<DryRunDuplicates> {
  await db.query('analyze pg_temp.dry_run_events');
  const { rows } = await db.query<DryRunDuplicates>(
    `with event as (
       select event_id, event_ts, count(*) as copies from pg_temp.dry_run_events group by event_id, event_ts
     ), judged as (
       select e.copies,
              case
                when l.event_id is not null then case when l.batch_id is null then 'live' else 'other_batch' end
                when owner.event_id is not null then 'other_batch'
              end as kind
         from event e
         left join analytics.events_log l on l.event_id = e.event_id and l.event_ts = e.event_ts
                                         and l.deleted_at is null and l.batch_id is distinct from $1
         left join analytics.backfill_event_checkpoint owner on owner.event_id = e.event_id and owner.batch_id <> $1
     )
     select count(*) filter (where kind is null) as inserted,
            coalesce(sum(copies - 1) filter (where kind is null), 0) as same_batch,
            coalesce(sum(copies) filter (where kind = 'other_batch'), 0) as other_batch,
            coalesce(sum(copies) filter (where kind = 'live'), 0) as live
       from judged`,
    [batchId],
  );
  return rows[0] ?? { inserted: 0, same_batch: 0, other_batch: 0, live: 0 };
}
