import type { BatchStatus } from '../../domain/batch-status.ts';
import { StaleWorkError } from '../../errors.ts';
import type { Queryable } from '../pool.ts';

/** What a transaction found when it began, and what must still hold when it commits. */
export interface BatchFence {
  batchId: string;
  epoch: number;
  statuses: readonly BatchStatus[];
}

/**
 * First statement of every transaction that works for a batch: holds a rollback back until it ends (FOR KEY SHARE
 * against its FOR UPDATE) and refuses work for a batch that is elsewhere.
 *
 * @param epoch when given, the only epoch the work may run under.
 * @throws {StaleWorkError} when the batch is not in one of the statuses, or has another epoch.
 */
export async function enterBatchFence(
  db: Queryable,
  batchId: string,
  statuses: readonly BatchStatus[],
  epoch?: number,
): Promise<BatchFence> {
  const { rows } = await db.query<{ status: BatchStatus; epoch: number }>(
    'select status, epoch from analytics.backfill_batches where batch_id = $1 for key share',
    [batchId],
  );
  const batch = rows[0];
  if (batch === undefined || !statuses.includes(batch.status) || (epoch !== undefined && epoch !== batch.epoch)) {
    throw new StaleWorkError(`batch ${batchId} is ${batch?.status ?? 'unknown'} now`);
  }
  return { batchId, epoch: batch.epoch, statuses };
}

/**
 * Last statement before the commit: a halt or a rollback since the beginning undoes the transaction.
 *
 * @throws {StaleWorkError}
 */
export async function checkBatchFence(db: Queryable, fence: BatchFence): Promise<void> {
  const { rowCount } = await db.query(
    'select 1 from analytics.backfill_batches where batch_id = $1 and epoch = $2 and status = any ($3)',
    [fence.batchId, fence.epoch, fence.statuses],
  );
  if (rowCount !== 1) throw new StaleWorkError(`batch ${fence.batchId} was stopped`);
}
