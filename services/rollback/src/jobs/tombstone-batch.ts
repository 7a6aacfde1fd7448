import type { BatchJob } from '@backfill/core/contracts/batch-job';
import { crashPoint } from '@backfill/core/crash-point';
import type { Queryable } from '@backfill/core/db/pool';
import { type BatchRow, getBatch } from '@backfill/core/db/queries/batch-get';
import { tombstoneRows } from '@backfill/core/db/queries/batch-tombstone';
import { withTransaction } from '@backfill/core/db/transaction';
import { enqueueOpenWork } from '@backfill/core/dispatch/change-status';
import { freeReleasedKeys } from '@backfill/core/dispatch/free-keys';
import { StaleWorkError } from '@backfill/core/errors';
import type { Runtime } from '@backfill/core/runtime/runtime';

/** @throws {StaleWorkError} when the batch is not the one to be taken back, or not any more. */
async function requireEpoch(db: Queryable, job: BatchJob): Promise<BatchRow> {
  const batch = await getBatch(db, job.batch_id);
  const isAwaited = batch?.status === 'rolling_back' || batch?.status === 'rolled_back';
  if (!isAwaited || batch.epoch !== job.epoch) {
    throw new StaleWorkError(`batch ${job.batch_id} is ${batch?.status ?? 'unknown'} now`);
  }
  return batch;
}

/**
 * Takes a batch back by tombstones, in one transaction with its proof. Parts in flight were fenced off when the batch
 * became `rolling_back`; the function waits for their transactions to end. Keys in a database of their own are freed
 * after it; a crash in between leaves that to the resolver.
 */
export async function tombstoneBatch(runtime: Runtime, job: BatchJob): Promise<void> {
  const { pool, keyStore, logger } = runtime;
  crashPoint('rollback:begun');
  await requireEpoch(pool, job);
  const proof = await withTransaction(pool, 'rollback', async (client) => {
    const written = await tombstoneRows(client, job.batch_id);
    // A job that comes again after its work was done must not take back the attempt that has begun since. Looked at under
    // the lock of the function, since a lighter one before it would wait in a circle with a publish that takes over.
    // What it leaves to do is to write the report anew.
    await enqueueOpenWork(client, await requireEpoch(client, job));
    crashPoint('rollback:written');
    return written;
  });
  crashPoint('rollback:committed');
  logger.info({ batch: job.batch_id, ...proof }, 'batch rolled back');
  if (keyStore.isSeparate) await freeReleasedKeys(pool, keyStore);
}
