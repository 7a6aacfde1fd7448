import type { Client } from '@backfill/core/db/pool';
import { type BatchRow, getBatch, getBatchForStatusChange } from '@backfill/core/db/queries/batch-get';
import { withTransaction } from '@backfill/core/db/transaction';
import { changeStatus } from '@backfill/core/dispatch/change-status';
import type { BatchStatus } from '@backfill/core/domain/batch-status';
import type { Caller } from './api-server.ts';
import type { ApiContext } from './context.ts';
import { Problem, unknownBatch } from './problem.ts';

/**
 * Runs one change of a batch in a transaction of its caller, with the batch locked against other changes of status, so
 * that what `work` sees still holds when it commits. A change of its status is a line of the log.
 *
 * @throws {Problem} 404 when there is no such batch
 */
export async function changeBatch<T>(
  context: ApiContext,
  caller: Caller,
  batchId: string,
  work: (client: Client, batch: BatchRow) => Promise<T>,
): Promise<T> {
  const { result, from, to } = await withTransaction(context.pool, caller.actor, async (client) => {
    const batch = await getBatchForStatusChange(client, batchId);
    if (batch === undefined) throw unknownBatch();
    const from = batch.status;
    const result = await work(client, batch);
    return { result, from, to: (await getBatch(client, batchId))?.status };
  });
  if (to !== from) context.logger.info({ batch: batchId, from, to }, 'batch moved');
  return result;
}

/**
 * Moves a locked batch on.
 *
 * @throws {Problem} 409 when it is in none of the `from` statuses
 */
export async function moveBatch(
  client: Client,
  batch: BatchRow,
  change: { from: readonly BatchStatus[]; to: BatchStatus; reason?: string | undefined },
): Promise<void> {
  if (await changeStatus(client, { batchId: batch.batch_id, ...change })) return;
  throw new Problem('conflict', `The batch is ${batch.status}; this is possible from: ${change.from.join(', ')}.`);
}
