import type { Compression } from '../../formats/compression.ts';
import type { FileFormat } from '../../formats/source-format.ts';
import type { Queryable } from '../pool.ts';

export interface BatchFile extends FileFormat {
  file_no: number;
  source_file: string;
  size: number;
  etag: string;
  sha256: string;
  compression: Compression;
  line_count: number;
  /** Of the pseudonymised copy that the mirror holds in place of the file; null where it holds the file itself. */
  copy_size: number | null;
  copy_sha256: string | null;
  mirrored_at: Date | null;
}

/** The pinned files of a batch, in key order. */
export async function listFiles(db: Queryable, batchId: string): Promise<BatchFile[]> {
  const { rows } = await db.query<BatchFile>(
    `select file_no, source_file, size, etag, sha256, compression, format, header, line_count,
            copy_size, copy_sha256, mirrored_at
       from analytics.backfill_files where batch_id = $1 order by file_no`,
    [batchId],
  );
  return rows;
}

/** Notes that a file stands in the archive, verified; under no other epoch than the one it was copied under. */
export async function markFileMirrored(db: Queryable, batchId: string, fileNo: number, epoch: number): Promise<void> {
  await db.query(
    `update analytics.backfill_files f set mirrored_at = now() from analytics.backfill_batches b
      where f.batch_id = $1 and f.file_no = $2 and b.batch_id = $1 and b.epoch = $3`,
    [batchId, fileNo, epoch],
  );
}

/** True when a file stands in the archive, as somebody has noted. */
export async function isFileMirrored(db: Queryable, batchId: string, fileNo: number): Promise<boolean> {
  const { rowCount } = await db.query(
    'select 1 from analytics.backfill_files where batch_id = $1 and file_no = $2 and mirrored_at is not null',
    [batchId, fileNo],
  );
  return rowCount === 1;
}

/** True when lines of a batch's mirror were emptied: its files and its manifest are no longer as they were planned. */
export async function isAmended(db: Queryable, batchId: string): Promise<boolean> {
  const { rowCount } = await db.query(
    'select 1 from analytics.backfill_files where batch_id = $1 and mirror_sha256 is not null limit 1',
    [batchId],
  );
  return rowCount === 1;
}
