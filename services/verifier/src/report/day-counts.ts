import type { Client } from '@backfill/core/db/pool';
import type { BatchRow } from '@backfill/core/db/queries/batch-get';
import type { DayCount } from '@backfill/core/report/report';

const DAY_COUNTS_SQL = `
  with staged as (
    select event_name, (event_ts at time zone 'UTC')::date as day, count(*) as staged,
           count(*) filter (where is_duplicate) as duplicates
      from analytics.events_backfill_staging where batch_id = $1 group by 1, 2
  ), to_publish as (
    select event_name, (event_ts at time zone 'UTC')::date as day, count(*) as rows
      from analytics.backfill_rows_to_publish where batch_id = $1 and not $2 group by 1, 2
  ), stored as (
    select event_name, (event_ts at time zone 'UTC')::date as day,
           count(*) filter (where l.batch_id is distinct from $1) as others,
           count(*) filter (where l.batch_id = $1) as own,
           count(*) filter (where l.replaced_by = $1
                               or not $2 and l.deleted_at is null and $6 and l.batch_id is not distinct from $7) as replaced
      from analytics.events_log l
     where l.source = $3 and l.event_ts >= $4 and l.event_ts < $5 and (l.deleted_at is null or l.replaced_by = $1)
     group by 1, 2
  )
  select event_name, day::text, coalesce(others, 0) as pre_count, coalesce(replaced, 0) as replaced,
         coalesce(staged, 0) as staged,
         coalesce(duplicates, 0) as duplicates,
         case when $2 then coalesce(own, 0) else coalesce(rows, 0) end as batch_count
    from staged full join stored using (event_name, day) left join to_publish using (event_name, day)
   order by event_name, day`;

/**
 * Counts per event type and UTC day of the batch's source and window.
 *
 * @param db without nested loops: it reads the batch as a whole
 * @param isCounted whether the batch's own rows are counted where they are live, or else those that are to be
 */
export async function countDays(
  db: Client,
  {
    batch_id,
    source,
    window_start,
    window_end,
    ...batch
  }: Pick<BatchRow, 'batch_id' | 'source' | 'window_start' | 'window_end' | 'replaces_batch_id' | 'replaces_live'>,
  isCounted: boolean,
): Promise<DayCount[]> {
  // The window as constants: it says in which days PostgreSQL looks.
  const isReplacing = batch.replaces_live || batch.replaces_batch_id !== null;
  const values = [batch_id, isCounted, source, window_start, window_end, isReplacing, batch.replaces_batch_id];
  const { rows } = await db.query<DayCount>(DAY_COUNTS_SQL, values);
  return rows;
}
