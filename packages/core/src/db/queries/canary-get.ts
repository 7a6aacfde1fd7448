import type { BatchStatus } from '../../domain/batch-status.ts';
import { CANARY_EVENTS, type CanaryCounts, type CanaryProgress } from '../../domain/canary.ts';
import type { Queryable } from '../pool.ts';

/** Where a batch's canary stands, by the ledger. */
export interface CanaryState extends CanaryProgress {
  status: BatchStatus;
  /** Events that the canary is to have. */
  wanted: number;
  /** Canary parts that wait for their import. */
  ready: number;
  open_chunks: number;
}

/**
 * The canary as the ledger has it: all of it, or only what lies before a part that is still to be cut. The part's twin
 * in another process sees the same, however far the first one has come.
 */
export async function getCanaryState(
  db: Queryable,
  batchId: string,
  before?: { chunkNo: number; partNo: number },
): Promise<CanaryState | undefined> {
  const { rows } = await db.query<CanaryState>(
    `with canary as (
       select p.part_id, p.line_count, p.event_count, p.quarantined, p.state
         from analytics.backfill_import_parts p join analytics.backfill_raw_chunks c using (chunk_id)
        where p.batch_id = $1 and p.is_canary and ($2::int is null or (c.chunk_no, p.part_no) < ($2, $3))
     )
     select b.status, coalesce(b.import_limit, $4::bigint) as wanted, parts.*,
            (select count(*) from analytics.backfill_raw_chunks c
              where c.batch_id = $1 and c.state = 'open') as open_chunks
       from analytics.backfill_batches b,
            lateral (select coalesce(sum(event_count), 0) as events, coalesce(sum(quarantined), 0) as quarantined,
                            count(*) filter (where state = 'ready') as ready,
                            coalesce(sum(line_count) filter (where part_id > (
                              select coalesce(max(part_id), 0) from canary where event_count > 0)), 0) as "idleLines"
                       from canary) parts
      where b.batch_id = $1`,
    [batchId, before?.chunkNo ?? null, before?.partNo ?? null, CANARY_EVENTS],
  );
  return rows[0];
}

/** What became of the canary's lines. Counted in the tables, to be held against the ledger. */
export async function countCanary(db: Queryable, batchId: string): Promise<CanaryCounts | undefined> {
  const { rows } = await db.query<CanaryCounts>(
    `with part as (
       select p.part_id, f.source_file, p.first_line, p.first_line + p.line_count as end_line, p.line_count,
              p.quarantined, p.event_count
         from analytics.backfill_import_parts p join analytics.backfill_files f using (batch_id, file_no)
        where p.batch_id = $1 and p.is_canary
     ), staged as (
       select count(*) as staged, count(*) filter (where duplicate_kind = 'same_batch') as same_batch
         from analytics.events_backfill_staging where batch_id = $1
     )
     select coalesce(sum(line_count), 0) as lines, coalesce(sum(quarantined), 0) as quarantined,
            coalesce(sum(event_count), 0) as expected, staged.staged, staged.same_batch,
            (select count(*) from part p join analytics.backfill_event_checkpoint_raw r
               on r.batch_id = $1 and r.source_file = p.source_file and r.line_no >= p.first_line
              and r.line_no < p.end_line) as accepted_rows,
            (select count(*) from part p join analytics.backfill_lineage l
               on l.batch_id = $1 and l.source_file = p.source_file and l.line_no >= p.first_line
              and l.line_no < p.end_line) as lineage_rows,
            (select count(*) from part p join analytics.backfill_quarantine q
               on q.batch_id = $1 and q.source_file = p.source_file and q.line_no >= p.first_line
              and q.line_no < p.end_line) as quarantine_rows,
            (select q.reason from analytics.backfill_quarantine q
              where q.batch_id = $1 group by q.reason order by count(*) desc, q.reason limit 1) as main_reason
       from part, staged group by staged.staged, staged.same_batch`,
    [batchId],
  );
  return rows[0];
}

/** The canary's staged rows, as far as they are looked at: event name, schema version and payload. */
export const CANARY_ROWS_SQL = `
  select event_name, schema_version, payload::text as payload
    from analytics.events_backfill_staging where batch_id = $1`;
