import type { Queryable } from '../pool.ts';

/** How many parts of a chunk are registered, and how many lines they cover. Parts are registered in order. */
export async function getPartsOfChunk(db: Queryable, chunkId: number): Promise<{ parts: number; lines: number }> {
  const { rows } = await db.query<{ parts: number; lines: number }>(
    `select count(*) as parts, coalesce(sum(line_count), 0) as lines
       from analytics.backfill_import_parts where chunk_id = $1`,
    [chunkId],
  );
  return rows[0] ?? { parts: 0, lines: 0 };
}
