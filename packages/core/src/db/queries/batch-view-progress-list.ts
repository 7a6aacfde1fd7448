import type { Queryable } from '../pool.ts';

/** How far a batch is, counted in its ledger. */
export interface Progress {
  chunks_total: number;
  chunks_done: number;
  /** Lines transformed so far, imported or not. */
  lines_read: number;
  files_total: number;
  files_mirrored: number;
  /** Import parts made so far: each chunk yields some. */
  parts_total: number;
  parts_imported: number;
}

export const NO_PROGRESS: Progress = {
  chunks_total: 0,
  chunks_done: 0,
  lines_read: 0,
  files_total: 0,
  files_mirrored: 0,
  parts_total: 0,
  parts_imported: 0,
};

/** The progress of each of these batches, by batch id. */
export async function listProgress(db: Queryable, batchIds: readonly string[]): Promise<ReadonlyMap<string, Progress>> {
  const { rows } = await db.query<Progress & { batch_id: string }>(
    `select given.batch_id, chunks.*, files.*, parts.*
       from unnest($1::text[]) as given (batch_id),
            lateral (select count(*) as chunks_total, count(*) filter (where state = 'done') as chunks_done
                       from analytics.backfill_raw_chunks c where c.batch_id = given.batch_id) chunks,
            lateral (select count(*) as files_total, count(mirrored_at) as files_mirrored
                       from analytics.backfill_files f where f.batch_id = given.batch_id) files,
            lateral (select count(*) as parts_total, count(*) filter (where state = 'imported') as parts_imported,
                            coalesce(sum(line_count), 0) as lines_read
                       from analytics.backfill_import_parts p where p.batch_id = given.batch_id) parts`,
    [batchIds],
  );
  return new Map(rows.map(({ batch_id, ...progress }) => [batch_id, progress]));
}
