import type { Queryable } from '../pool.ts';

/** How many chunks and parts of the batch are not done. */
export async function countOpenWork(db: Queryable, batchId: string): Promise<{ chunks: number; parts: number }> {
  const { rows } = await db.query<{ chunks: number; parts: number }>(
    `select (select count(*) from analytics.backfill_raw_chunks where batch_id = $1 and state = 'open') as chunks,
            (select count(*) from analytics.backfill_import_parts where batch_id = $1 and state = 'ready') as parts`,
    [batchId],
  );
  return rows[0] ?? { chunks: 0, parts: 0 };
}
