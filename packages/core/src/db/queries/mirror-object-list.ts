import type { Compression } from '../../formats/compression.ts';
import type { StoredFormat } from '../../formats/source-format.ts';
import type { Queryable } from '../pool.ts';

/** The object that stands for a pinned file in the mirror: the file itself, or its pseudonymised copy. */
export interface MirrorObject extends StoredFormat {
  file_no: number;
  source_file: string;
  /** In bytes. */
  size: number;
  sha256: string;
  compression: Compression;
}

/** The objects that a batch's mirror must hold, in key order. */
export async function listMirrorObjects(db: Queryable, batchId: string): Promise<MirrorObject[]> {
  const { rows } = await db.query<MirrorObject>(
    `select file_no, source_file, size, sha256, compression, format, header
       from analytics.backfill_mirror_objects where batch_id = $1 order by file_no`,
    [batchId],
  );
  return rows;
}
