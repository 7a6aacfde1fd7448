import type { BatchJob } from '@backfill/core/contracts/batch-job';
import { crashPoint } from '@backfill/core/crash-point';
import { type KeyTransaction, withKeyTransaction } from '@backfill/core/db/key-transaction';
import type { Client } from '@backfill/core/db/pool';
import { checkBatchFence, enterBatchFence } from '@backfill/core/db/queries/batch-fence';
import { getBatch } from '@backfill/core/db/queries/batch-get';
import { holdOwners } from '@backfill/core/db/queries/key-takeover';
import { getPlan } from '@backfill/core/db/queries/plan-get';
import {
  countOverlap,
  ensureEventDay,
  listDaysToPublish,
  lockStagedRows,
  type PublishCounts,
  publishRows,
  setPublished,
} from '@backfill/core/db/queries/publish-rows';
import { canPublishMore } from '@backfill/core/db/queries/rows-to-publish';
import { withTransaction } from '@backfill/core/db/transaction';
import { changeStatus } from '@backfill/core/dispatch/change-status';
import { createBatchReader } from '@backfill/core/dispatch/read-for-batch';
import { recallBatches } from '@backfill/core/dispatch/recall-batches';
import { FatalError, StaleWorkError } from '@backfill/core/errors';
import type { Plan } from '@backfill/core/plan/plan';
import type { Runtime } from '@backfill/core/runtime/runtime';
import { digestRowsToPublish } from '../gates/rows-digest.ts';
import { readPublished } from './published-checksum.ts';
import { takeOverKeys } from './take-over-keys.ts';

const ACTOR = 'verifier';

/** What was signed does not hold any more: the batch has to be measured anew. */
class OutdatedError extends Error {
  override name = 'OutdatedError';
}

/**
 * Holds the staged rows and compares them with what was signed.
 *
 * @returns how many there are.
 * @throws {FatalError} when a row was added, dropped or changed since the verification.
 */
async function checkSignedRows(client: Client, batchId: string): Promise<number> {
  await lockStagedRows(client, batchId);
  const batch = await getBatch(client, batchId);
  if (batch === undefined || (await digestRowsToPublish(client, batchId)) !== batch.rows_digest) {
    throw new FatalError('the staged rows are not the ones that were verified and signed');
  }
  return batch.row_count ?? 0;
}

/** @throws {OutdatedError} when more of what was signed is somebody else's by now than the policy allows for. */
async function checkOverlap(client: Client, batchId: string, counts: PublishCounts, maxOverlap: number): Promise<void> {
  if (counts.newly_live === 0) return;
  const { staged, overlap } = await countOverlap(client, batchId);
  // What was to be taken over counts as overlap already; all of it may be lost, within the same bound.
  const grown = overlap + counts.newly_live - counts.not_taken_over;
  if (Math.max(grown, counts.not_taken_over) > maxOverlap * staged) {
    throw new OutdatedError(`${counts.newly_live} events became live since the verification`);
  }
}

async function publishInTransaction(
  client: Client,
  keys: KeyTransaction,
  job: BatchJob,
  plan: Plan,
): Promise<PublishCounts & { taken_over: number; recalled: string[] }> {
  await enterBatchFence(client, job.batch_id, ['publishing'], job.epoch);
  await holdOwners(client, job.batch_id);
  if (await canPublishMore(client, job.batch_id)) {
    throw new OutdatedError('a batch with the same events was taken back since the verification');
  }
  const signed = await checkSignedRows(client, job.batch_id);
  const counts = await publishRows(client, job.batch_id);
  crashPoint('publish:inserted');
  await checkOverlap(client, job.batch_id, counts, plan.policy.gates.max_overlap);
  if (counts.published + counts.newly_suppressed + counts.newly_live !== signed) {
    throw new FatalError(
      `of ${signed} signed rows ${counts.published} were published, and not all others are explained`,
    );
  }
  const published = await readPublished(client, job.batch_id);
  if (published.rowCount !== counts.published) {
    throw new FatalError(`${counts.published} rows were published and ${published.rowCount} are there`);
  }
  const { taken, rivals } = await takeOverKeys(client, keys, job.batch_id);
  crashPoint('publish:taken');
  const recalled = await recallBatches(client, rivals, `${job.batch_id} published events that both delivered`);
  // Not earlier: the batch's row is locked from here on, and a halt would wait for what comes in between.
  await setPublished(client, job.batch_id, published);
  await keys.prepare();
  const changed = await changeStatus(client, {
    batchId: job.batch_id,
    from: ['publishing'],
    to: 'published',
    reason: describePublish(counts, taken),
    epoch: job.epoch,
  });
  if (!changed) throw new StaleWorkError(`batch ${job.batch_id} was stopped`);
  crashPoint('publish:changed');
  return { ...counts, taken_over: taken, recalled };
}

function describePublish({ published, newly_suppressed, newly_live }: PublishCounts, taken: number): string {
  const takenOver = taken === 0 ? '' : `, ${taken} of them taken over from batches that are not published`;
  return `${published} events${takenOver}; left out: ${newly_suppressed} newly suppressed, ${newly_live} newly live`;
}

async function sendBackToVerify(runtime: Runtime, job: BatchJob, reason: string): Promise<void> {
  await withTransaction(runtime.pool, ACTOR, async (client) => {
    const change = { batchId: job.batch_id, from: ['publishing' as const], to: 'verifying' as const, reason };
    if (!(await changeStatus(client, { ...change, epoch: job.epoch }))) {
      throw new StaleWorkError(`batch ${job.batch_id} was stopped`);
    }
  });
}

/**
 * Publishes a signed batch in one transaction: either every row is live and the batch says so, or nothing happened.
 * Rows that were suppressed or delivered live since the signing are left out and recorded; too many of the latter send
 * the batch back to its gates. What it shares with batches that are not published becomes its own, and those go back to
 * their gates.
 */
export async function publishBatch(runtime: Runtime, job: BatchJob): Promise<void> {
  const { pool, logger } = runtime;
  const fence = await enterBatchFence(pool, job.batch_id, ['publishing'], job.epoch);
  const plan = await getPlan(pool, job.batch_id);
  if (plan === undefined) throw new FatalError(`batch ${job.batch_id} has no plan`);
  const days = await createBatchReader(pool, fence)((client) => listDaysToPublish(client, job.batch_id));
  for (const day of days) {
    await withTransaction(pool, ACTOR, async (client) => {
      await enterBatchFence(client, job.batch_id, fence.statuses, fence.epoch);
      await ensureEventDay(client, day);
      await checkBatchFence(client, fence);
    });
  }
  crashPoint('publish:days-made');
  try {
    const work = { batchId: job.batch_id, partId: 0, epoch: job.epoch };
    const { keyStore } = runtime;
    const counts = await withKeyTransaction({ pool, keyStore, actor: ACTOR, step: 'publish', work }, (client, keys) =>
      publishInTransaction(client, keys, job, plan),
    );
    crashPoint('publish:committed');
    logger.info({ batch: job.batch_id, ...counts }, 'batch published');
  } catch (error) {
    if (!(error instanceof OutdatedError)) throw error;
    logger.warn({ batch: job.batch_id }, 'what was signed is out of date: batch goes back to its gates');
    await sendBackToVerify(runtime, job, error.message);
  }
}
