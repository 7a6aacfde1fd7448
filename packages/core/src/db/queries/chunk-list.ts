import type { Queryable } from '../pool.ts';
import type { Chunk } from './chunk-get.ts';

/** The chunks of a batch, in the order of its files and lines. */
export async function listChunks(db: Queryable, batchId: string): Promise<Chunk[]> {
  const { rows } = await db.query<Chunk>(
    `select c.chunk_id, c.batch_id, c.chunk_no, c.file_no, f.source_file, f.compression, f.format, f.header,
            c.byte_start, c.byte_end, c.first_line, c.line_count, c.state, c.epoch
       from analytics.backfill_raw_chunks c join analytics.backfill_mirror_objects f using (batch_id, file_no)
      where c.batch_id = $1 order by c.file_no, c.first_line`,
    [batchId],
  );
  return rows;
}
