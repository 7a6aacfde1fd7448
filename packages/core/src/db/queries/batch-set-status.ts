import type { BatchStatus } from '../../domain/batch-status.ts';
import type { RollbackMode } from '../../domain/rollback-mode.ts';
import type { Queryable } from '../pool.ts';

export interface StatusChange {
  batchId: string;
  from: readonly BatchStatus[];
  to: BatchStatus;
  /** For people; stands in the batch and in the audit log. */
  reason?: string | undefined;
  /** When given, the change only happens under this epoch. */
  epoch?: number | undefined;
}

/**
 * Changes a batch's status if it is where the caller believes it to be.
 *
 * @returns false when it was not, and nothing was changed.
 */
export async function setBatchStatus(db: Queryable, change: StatusChange): Promise<boolean> {
  const { rowCount } = await db.query(
    `update analytics.backfill_batches set status = $2, status_reason = $3
      where batch_id = $1 and status = any ($4) and ($5::int is null or epoch = $5)`,
    [change.batchId, change.to, change.reason ?? null, change.from, change.epoch ?? null],
  );
  return rowCount === 1;
}

/**
 * Says how a batch is to be taken back, and why. To be called before it is `rolling_back`, or while it is.
 *
 * @param reason for people; stands in the batch
 */
export async function setRollbackMode(
  db: Queryable,
  batchId: string,
  mode: RollbackMode,
  reason: string,
): Promise<void> {
  await db.query('update analytics.backfill_batches set rollback_mode = $2, status_reason = $3 where batch_id = $1', [
    batchId,
    mode,
    reason,
  ]);
}

/**
 * Notes on a batch that is being rolled back why it does not come to its end.
 *
 * @returns false when it is not, or when this was noted already.
 */
export async function setRollbackProblem(
  db: Queryable,
  batchId: string,
  epoch: number,
  reason: string,
): Promise<boolean> {
  const { rowCount } = await db.query(
    `update analytics.backfill_batches set status_reason = $3
      where batch_id = $1 and epoch = $2 and status = 'rolling_back' and status_reason is distinct from $3`,
    [batchId, epoch, reason],
  );
  return rowCount === 1;
}
