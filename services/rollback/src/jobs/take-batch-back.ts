import type { BatchJob } from '@backfill/core/contracts/batch-job';
import { crashPoint } from '@backfill/core/crash-point';
import type { Client, Queryable } from '@backfill/core/db/pool';
import { type BatchRow, getBatch } from '@backfill/core/db/queries/batch-get';
import {
  listHeirs,
  restoreRows,
  revertWindowRows,
  type ShortProof,
  tombstoneRows,
} from '@backfill/core/db/queries/batch-take-back';
import { withTransaction } from '@backfill/core/db/transaction';
import { enqueueOpenWork } from '@backfill/core/dispatch/change-status';
import { freeReleasedKeys } from '@backfill/core/dispatch/free-keys';
import type { RollbackMode } from '@backfill/core/domain/rollback-mode';
import { StaleWorkError } from '@backfill/core/errors';
import type { Runtime } from '@backfill/core/runtime/runtime';
import { loadSnapshot } from '../snapshot/load-snapshot.ts';

type TakeBack = (client: Client, batchId: string, epoch: number) => Promise<ShortProof | undefined>;

/** @throws {StaleWorkError} when the batch is not to be taken back like this, or not any more. */
async function requireBatch(db: Queryable, job: BatchJob, mode: RollbackMode): Promise<BatchRow> {
  const batch = await getBatch(db, job.batch_id);
  const isAsked = batch?.status === 'rolling_back' && (batch.rollback_mode ?? 'tombstone') === mode;
  if (batch === undefined || batch.epoch !== job.epoch || !(isAsked || batch.status === 'rolled_back')) {
    throw new StaleWorkError(`batch ${job.batch_id} is ${batch?.status ?? 'unknown'} now`);
  }
  return batch;
}

/**
 * Takes a batch back in one transaction with its proof. Parts in flight were fenced off when the batch became
 * `rolling_back`; the function waits for their transactions to end. Keys in a database of their own are freed after it; a
 * crash in between leaves that to the resolver.
 */
async function takeBack(runtime: Runtime, job: BatchJob, run: TakeBack): Promise<void> {
  const { pool, keyStore, logger } = runtime;
  const proof = await withTransaction(pool, 'rollback', async (client) => {
    // Asked under the lock of the function: a job that comes again after its work was done must not take back the attempt
    // that has begun since. What it leaves to do is to write the report anew.
    const written = await run(client, job.batch_id, job.epoch);
    if (written === undefined) throw new StaleWorkError(`batch ${job.batch_id} has moved on`);
    // Its own report, and those of batches that have got something from it.
    for (const batchId of [job.batch_id, ...(await listHeirs(client, job.batch_id))]) {
      const batch = await getBatch(client, batchId);
      if (batch !== undefined) await enqueueOpenWork(client, batch);
    }
    crashPoint('rollback:written');
    return written;
  });
  crashPoint('rollback:committed');
  logger.info({ batch: job.batch_id, ...proof }, 'batch rolled back');
  if (keyStore.isSeparate) await freeReleasedKeys(pool, keyStore);
}

/** Takes a batch back by tombstones. */
export async function tombstoneBatch(runtime: Runtime, job: BatchJob): Promise<void> {
  crashPoint('rollback:begun');
  await requireBatch(runtime.pool, job, 'tombstone');
  await takeBack(runtime, job, tombstoneRows);
}

/** Takes back what a batch has in its window. */
export async function revertWindow(runtime: Runtime, job: BatchJob): Promise<void> {
  crashPoint('rollback:begun');
  await requireBatch(runtime.pool, job, 'window');
  await takeBack(runtime, job, revertWindowRows);
}

/** Takes a batch back and brings back what was live in its window before it was published. */
export async function restoreSnapshot(runtime: Runtime, job: BatchJob, signal: AbortSignal): Promise<void> {
  crashPoint('rollback:begun');
  const { status } = await requireBatch(runtime.pool, job, 'snapshot');
  if (status === 'rolling_back') await loadSnapshot(runtime, job, signal);
  await takeBack(runtime, job, restoreRows);
}
