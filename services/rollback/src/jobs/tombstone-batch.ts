import type { BatchJob } from '@backfill/core/contracts/batch-job';
import { enterBatchFence } from '@backfill/core/db/queries/batch-fence';
import { tombstoneRows } from '@backfill/core/db/queries/batch-tombstone';
import { withTransaction } from '@backfill/core/db/transaction';
import type { Runtime } from '@backfill/core/runtime/runtime';

/**
 * Takes a batch back by tombstones, in one transaction with its proof. Parts in flight were fenced off when the batch
 * became `rolling_back`; the function waits for their transactions to end.
 */
export async function tombstoneBatch(runtime: Runtime, job: BatchJob): Promise<void> {
  await enterBatchFence(runtime.pool, job.batch_id, ['rolling_back', 'rolled_back'], job.epoch);
  const proof = await withTransaction(runtime.pool, 'rollback', (client) => tombstoneRows(client, job.batch_id));
  runtime.logger.info({ batch: job.batch_id, ...proof }, 'batch rolled back');
}
