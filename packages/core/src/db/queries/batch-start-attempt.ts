import type { Queryable } from '../pool.ts';

/** Counts a new attempt of a rolled back batch and forgets the last one's work; its history stays. */
export async function startNewAttempt(db: Queryable, batchId: string): Promise<void> {
  await db.query('select analytics.clear_batch_work($1)', [batchId]);
  await db.query(
    `update analytics.backfill_batches set attempt = attempt + 1, plan_hash = null, import_limit = null
      where batch_id = $1`,
    [batchId],
  );
}
