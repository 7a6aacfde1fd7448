import type { Queryable } from '../pool.ts';
import type { Part, PartCounts } from './part-import.ts';

/**
 * Stages every row of the part: the first of each claimed key as new, all others flagged with what they repeat. What
 * somebody else has is overlap (`live`, `other_batch`) however often the batch repeats it; `same_batch` are repeats of
 * the batch's own events. Writes the counts into the part's ledger row.
 */
export async function stageRows(db: Queryable, part: Part): Promise<PartCounts> {
  const { rows } = await db.query<PartCounts>(
    `with judged as (
       select r.*,
              case
                when live.event_id is not null then case when live.batch_id is null then 'live' else 'other_batch' end
                when owner.batch_id <> $1 then 'other_batch'
                when owner.is_claimed and row_number() over (partition by r.event_id order by r.line_no) = 1 then null
                else 'same_batch'
              end as kind
         from pg_temp.part_rows r
         left join pg_temp.part_live live using (event_id)
         left join pg_temp.part_owner owner using (event_id)
     ), staged as (
       insert into analytics.events_backfill_staging
         (event_id, batch_id, source, event_name, schema_version, event_ts, session_id, subject_id, payload,
          part_id, is_duplicate, duplicate_kind)
       select event_id, $1, $2, event_name, schema_version, event_ts, session_id, subject_id, payload,
              $3, kind is not null, kind
         from judged
       returning duplicate_kind
     ), counted as (
       select count(*) filter (where duplicate_kind is null) as inserted,
              count(*) filter (where duplicate_kind = 'same_batch') as same_batch,
              count(*) filter (where duplicate_kind = 'other_batch') as other_batch,
              count(*) filter (where duplicate_kind = 'live') as live
         from staged
     )
     update analytics.backfill_import_parts p
        set inserted = c.inserted, duplicate_same_batch = c.same_batch, duplicate_other_batch = c.other_batch,
            duplicate_live = c.live
       from counted c
      where p.part_id = $3
     returning c.inserted, c.same_batch, c.other_batch, c.live`,
    [part.batch_id, part.source, part.part_id],
  );
  const [counts] = rows;
  if (counts === undefined) throw new Error(`part ${part.part_id} is not in the ledger`);
  return counts;
}

/** Records where each staged row came from. */
export async function recordLineage(db: Queryable, part: Part): Promise<void> {
  await db.query(
    `insert into analytics.backfill_lineage (batch_id, event_id, source_file, line_no)
     select $1, event_id, $2, line_no from pg_temp.part_rows`,
    [part.batch_id, part.source_file],
  );
}

/** Records the events that another batch or live ingestion owns, for the day their owner is taken back. */
export async function recordLosers(db: Queryable, part: Part): Promise<void> {
  await db.query(
    `insert into analytics.backfill_losers (loser_batch_id, event_id, winner_batch_id)
     select distinct $1, r.event_id, coalesce(live.batch_id, owner.batch_id)
       from pg_temp.part_rows r
       left join pg_temp.part_live live using (event_id)
       left join pg_temp.part_owner owner on owner.event_id = r.event_id and owner.batch_id <> $1
      where live.event_id is not null or owner.event_id is not null
      -- In key order: another part of the batch may record the same events.
      order by r.event_id
     on conflict do nothing`,
    [part.batch_id],
  );
}
