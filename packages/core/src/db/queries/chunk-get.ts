import { FatalError } from '../../errors.ts';
import type { Compression } from '../../formats/compression.ts';
import type { StoredFormat } from '../../formats/source-format.ts';
import type { Queryable } from '../pool.ts';

/** A stretch of lines of one object of the mirror. */
export interface Chunk extends StoredFormat {
  chunk_id: number;
  batch_id: string;
  chunk_no: number;
  file_no: number;
  source_file: string;
  compression: Compression;
  byte_start: number;
  byte_end: number;
  first_line: number;
  line_count: number;
  state: 'open' | 'done';
  epoch: number;
}

/** A chunk of the ledger with the file it belongs to, or undefined. */
export async function getChunk(db: Queryable, chunkId: number): Promise<Chunk | undefined> {
  const { rows } = await db.query<Chunk>(
    `select c.chunk_id, c.batch_id, c.chunk_no, c.file_no, f.source_file, f.compression, f.format, f.header,
            c.byte_start, c.byte_end, c.first_line, c.line_count, c.state, c.epoch
       from analytics.backfill_raw_chunks c join analytics.backfill_mirror_objects f using (batch_id, file_no)
      where c.chunk_id = $1`,
    [chunkId],
  );
  return rows[0];
}

/**
 * Marks an open chunk as done, if its parts account for each of its lines. A chunk that is done stays so.
 *
 * @throws {FatalError} when lines are missing or counted twice.
 */
export async function markChunkDone(db: Queryable, chunkId: number): Promise<void> {
  const { rows } = await db.query<{ planned: number; accounted: number }>(
    `select c.line_count as planned, coalesce(sum(p.line_count), 0) as accounted
       from analytics.backfill_raw_chunks c left join analytics.backfill_import_parts p using (chunk_id)
      where c.chunk_id = $1 group by c.chunk_id`,
    [chunkId],
  );
  const [count] = rows;
  if (count === undefined || count.planned !== count.accounted) {
    throw new FatalError(`chunk ${chunkId}: ${count?.planned} lines were planned, its parts hold ${count?.accounted}`);
  }
  await db.query(
    `update analytics.backfill_raw_chunks set state = 'done', done_at = now() where chunk_id = $1 and state = 'open'`,
    [chunkId],
  );
}
