import type { Compression } from '../../formats/compression.ts';
import type { FileFormat } from '../../formats/source-format.ts';
import { manifestChecksum, type Plan } from '../../plan/plan.ts';
import type { Queryable } from '../pool.ts';

export interface PlannedFile extends FileFormat {
  fileNo: number;
  sourceFile: string;
  size: number;
  etag: string;
  lastModified: Date;
  sha256: string;
  /** Of the text, whatever it is compressed with. */
  contentSha256: string;
  compression: Compression;
  lineCount: number;
  /** Of a file from outside the EU; null where the mirror holds the file itself. */
  copy: FileCopyPin | null;
}

/** The pseudonymised copy that stands in the mirror for a file. */
export interface FileCopyPin {
  size: number;
  sha256: string;
}

/** Bytes [start, end) of the file or, where it has one, of its copy; a compressed file is one chunk. */
export interface PlannedChunk {
  fileNo: number;
  byteStart: number;
  byteEnd: number;
  firstLine: number;
  lineCount: number;
}

async function insertFiles(db: Queryable, batchId: string, files: readonly PlannedFile[]): Promise<void> {
  await db.query(
    `insert into analytics.backfill_files
       (batch_id, file_no, source_file, size, etag, last_modified, sha256, content_sha256, compression, format,
        header, line_count, copy_size, copy_sha256)
     select $1, f."fileNo", f."sourceFile", f.size, f.etag, f."lastModified", f.sha256, f."contentSha256", f.compression, f.format,
            coalesce(f.header, 'null'), f."lineCount", (f.copy ->> 'size')::bigint, f.copy ->> 'sha256'
       from jsonb_to_recordset($2::jsonb) as f ("fileNo" int, "sourceFile" text, size bigint, etag text,
              "lastModified" timestamptz, sha256 text, "contentSha256" text, compression text, format text, header jsonb,
              "lineCount" bigint, copy jsonb)`,
    [batchId, JSON.stringify(files)],
  );
}

async function insertChunks(db: Queryable, batchId: string, chunks: readonly PlannedChunk[]): Promise<void> {
  await db.query(
    `insert into analytics.backfill_raw_chunks
       (batch_id, chunk_no, file_no, byte_start, byte_end, first_line, line_count, epoch)
     select $1, c.chunk_no - 1, (c.chunk ->> 'fileNo')::int, (c.chunk ->> 'byteStart')::bigint,
            (c.chunk ->> 'byteEnd')::bigint, (c.chunk ->> 'firstLine')::bigint, (c.chunk ->> 'lineCount')::bigint, b.epoch
       from jsonb_array_elements($2::jsonb) with ordinality as c (chunk, chunk_no), analytics.backfill_batches b
      where b.batch_id = $1`,
    [batchId, JSON.stringify(chunks)],
  );
}

/** Writes a plan and its ledger in place of an earlier one. The caller changes the status in the same transaction. */
export async function sealPlan(
  db: Queryable,
  sealed: {
    plan: Plan;
    planHash: string;
    recipeHash: string;
    files: readonly PlannedFile[];
    chunks: readonly PlannedChunk[];
  },
): Promise<void> {
  const { plan } = sealed;
  await db.query('select analytics.clear_batch_work($1)', [plan.batchId]);
  await insertFiles(db, plan.batchId, sealed.files);
  await insertChunks(db, plan.batchId, sealed.chunks);
  await db.query(
    `insert into analytics.backfill_plans (batch_id, attempt, plan_hash, recipe_hash, plan)
     select batch_id, attempt, $2, $3, $4 from analytics.backfill_batches where batch_id = $1
     on conflict do nothing`,
    [plan.batchId, sealed.planHash, sealed.recipeHash, JSON.stringify(plan)],
  );
  await db.query(
    'update analytics.backfill_batches set plan_hash = $2, import_events_per_second = $3 where batch_id = $1',
    [plan.batchId, sealed.planHash, plan.policy.import_events_per_second ?? null],
  );
  await db.query(
    `insert into analytics.backfill_batches_metadata as m (batch_id, snapshot_start, snapshot_end, raw_path, raw_checksum)
     select batch_id, window_start, window_end, input, $2 from analytics.backfill_batches where batch_id = $1
     on conflict (batch_id) do update
        set snapshot_start = excluded.snapshot_start, snapshot_end = excluded.snapshot_end,
            raw_path = excluded.raw_path, raw_checksum = excluded.raw_checksum, checksum = null, applied_at = null, snapshot_path = null, snapshot_checksum = null`,
    [plan.batchId, manifestChecksum(plan.manifest)],
  );
}
