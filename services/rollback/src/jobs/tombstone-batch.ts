import type { BatchJob } from '@backfill/core/contracts/batch-job';
import { crashPoint } from '@backfill/core/crash-point';
import { enterBatchFence } from '@backfill/core/db/queries/batch-fence';
import { tombstoneRows } from '@backfill/core/db/queries/batch-tombstone';
import { withTransaction } from '@backfill/core/db/transaction';
import { freeReleasedKeys } from '@backfill/core/dispatch/free-keys';
import type { Runtime } from '@backfill/core/runtime/runtime';

/**
 * Takes a batch back by tombstones, in one transaction with its proof. Parts in flight were fenced off when the batch
 * became `rolling_back`; the function waits for their transactions to end. Keys in a database of their own are freed
 * after it; a crash in between leaves that to the resolver.
 */
export async function tombstoneBatch(runtime: Runtime, job: BatchJob): Promise<void> {
  await enterBatchFence(runtime.pool, job.batch_id, ['rolling_back', 'rolled_back'], job.epoch);
  const { pool, keyStore, logger } = runtime;
  crashPoint('rollback:begun');
  const proof = await withTransaction(pool, 'rollback', async (client) => {
    const written = await tombstoneRows(client, job.batch_id);
    crashPoint('rollback:written');
    return written;
  });
  crashPoint('rollback:committed');
  logger.info({ batch: job.batch_id, ...proof }, 'batch rolled back');
  if (keyStore.isSeparate) await freeReleasedKeys(pool, keyStore);
}
