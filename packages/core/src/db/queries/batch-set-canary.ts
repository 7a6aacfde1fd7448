import type { Queryable } from '../pool.ts';

/** Records how the canary ended. */
export async function setCanaryPassed(db: Queryable, batchId: string, passed: boolean): Promise<void> {
  await db.query('update analytics.backfill_batches set canary_passed = $2 where batch_id = $1', [batchId, passed]);
}
