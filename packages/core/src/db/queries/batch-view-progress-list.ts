import type { Queryable } from '../pool.ts';

export interface ProgressRow {
  batch_id: string;
  chunks_total: number;
  chunks_done: number;
  /** Lines transformed so far, imported or not. */
  lines_read: number;
}

/** How far each of these batches is, from the ledger. */
export async function listProgress(db: Queryable, batchIds: readonly string[]): Promise<ProgressRow[]> {
  const { rows } = await db.query<ProgressRow>(
    `select given.batch_id,
            (select count(*) from analytics.backfill_raw_chunks c where c.batch_id = given.batch_id) as chunks_total,
            (select count(*) from analytics.backfill_raw_chunks c
              where c.batch_id = given.batch_id and c.state = 'done') as chunks_done,
            (select coalesce(sum(p.line_count), 0) from analytics.backfill_import_parts p
              where p.batch_id = given.batch_id) as lines_read
       from unnest($1::text[]) as given (batch_id)`,
    [batchIds],
  );
  return rows;
}
