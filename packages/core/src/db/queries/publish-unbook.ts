import type { Client } from '../pool.ts';

/** Takes what a batch's live rows are counted by out of what a publish says of them, before they go. @returns how many */
export async function unbookLiveRows(client: Client, batchId: string): Promise<number> {
  const { rows } = await client.query<{ rows: number }>(
    `with gone as (
       select count(*) as rows,
              coalesce(sum(hash_record_extended(
                row(e.event_id, e.source, e.event_name, e.schema_version, e.event_ts, e.session_id, e.subject_id,
                    hashtextextended(e.payload::text, 0)), 0)), 0) as hashes
         from analytics.events_log e join pg_temp.erased_event x using (event_id)
         join analytics.backfill_batches b on b.batch_id = e.batch_id
        where e.batch_id = $1 and e.deleted_at is null and e.event_ts >= b.window_start and e.event_ts < b.window_end
     ), publish as (
       update analytics.backfill_publishes p
          set published = p.published - g.rows, checksum = null,
              counted = case when p.counted = p.published then p.counted - g.rows else p.counted end,
              fingerprint = (split_part(p.fingerprint, ':', 1)::bigint - g.rows) || ':' ||
                            (split_part(p.fingerprint, ':', 2)::numeric - g.hashes)
         from gone g, analytics.backfill_batches b
        where b.batch_id = $1 and b.rows_live and p.batch_id = $1 and p.attempt = b.attempt and p.fingerprint is not null
          and (p.outcome is null or p.outcome = 'published') and g.rows > 0
     ), batch as (
       update analytics.backfill_batches b set row_count = b.row_count - g.rows, checksum = null
         from gone g where b.batch_id = $1 and b.rows_live and g.rows > 0
     ), metadata as (
       update analytics.backfill_batches_metadata m set checksum = null
         from gone g, analytics.backfill_batches b where m.batch_id = $1 and b.batch_id = $1 and b.rows_live and g.rows > 0
     )
     select rows from gone`,
    [batchId],
  );
  return rows[0]?.rows ?? 0;
}
