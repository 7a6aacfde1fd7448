import type { Queryable } from '../pool.ts';

export interface Part {
  part_id: number;
  batch_id: string;
  source: string;
  source_file: string;
  is_canary: boolean;
  first_line: number;
  line_count: number;
  /** Null for parts without events. */
  first_event_ts: Date | null;
  last_event_ts: Date | null;
  /** Of the batch's leaf of the staging table, in the schema `analytics`. */
  staging_leaf: string;
  object_key: string;
  object_sha256: string;
  object_bytes: number;
  event_count: number;
  state: 'ready' | 'imported';
  epoch: number;
  /** Of the whole batch; null for no limit. */
  import_events_per_second: number | null;
}

/** Staged rows of a part: those that are new, and those that somebody else already delivered. */
export interface PartCounts {
  inserted: number;
  same_batch: number;
  other_batch: number;
  live: number;
}

/** A part of the ledger with its file and source, or undefined. */
export async function getPart(db: Queryable, partId: number): Promise<Part | undefined> {
  const { rows } = await db.query<Part>(
    `select p.part_id, p.batch_id, b.source, f.source_file, p.is_canary, p.first_line, p.line_count,
            p.first_event_ts, p.last_event_ts, analytics.staging_leaf(b.batch_no) as staging_leaf, p.object_key, p.object_sha256, p.object_bytes, p.event_count,
            p.state, p.epoch, b.import_events_per_second
       from analytics.backfill_import_parts p
       join analytics.backfill_files f using (batch_id, file_no)
       join analytics.backfill_batches b using (batch_id)
      where p.part_id = $1`,
    [partId],
  );
  return rows[0];
}

/** Takes a part for this transaction: of several that try, one gets true, and only while the part is open. */
export async function markPartImported(db: Queryable, partId: number, epoch: number): Promise<boolean> {
  const { rowCount } = await db.query(
    `update analytics.backfill_import_parts set state = 'imported', imported_at = now(), inserted = event_count
      where part_id = $1 and epoch = $2 and state = 'ready'`,
    [partId, epoch],
  );
  return rowCount === 1;
}
