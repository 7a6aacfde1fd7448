import type { Queryable } from '../pool.ts';

/** Records how the canary ended. */
export async function setCanaryPassed(db: Queryable, batchId: string, passed: boolean): Promise<void> {
  await db.query('update analytics.backfill_batches set canary_passed = $2 where batch_id = $1', [batchId, passed]);
}

/** Has the batch's import halt after so many events; null for no limit. */
export async function setImportLimit(db: Queryable, batchId: string, events: number | null): Promise<void> {
  await db.query('update analytics.backfill_batches set import_limit = $2 where batch_id = $1', [batchId, events]);
}

/** Takes the limit of the batch's import away: it was reached and the batch goes on, or it was not and nothing is left. */
export async function clearImportLimit(db: Queryable, batchId: string): Promise<void> {
  await db.query(
    'update analytics.backfill_batches set import_limit = null where batch_id = $1 and import_limit is not null',
    [batchId],
  );
}
