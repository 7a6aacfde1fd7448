import type { BatchJob } from '@backfill/core/contracts/batch-job';
import { crashPoint } from '@backfill/core/crash-point';
import type { Client } from '@backfill/core/db/pool';
import { enterBatchFence } from '@backfill/core/db/queries/batch-fence';
import { getBatch } from '@backfill/core/db/queries/batch-get';
import { getPlan } from '@backfill/core/db/queries/plan-get';
import {
  countOverlap,
  ensureEventDay,
  listDaysToPublish,
  lockStagedRows,
  type PublishCounts,
  publishRows,
  recordNewlyLive,
  setPublished,
} from '@backfill/core/db/queries/publish-rows';
import { withTransaction } from '@backfill/core/db/transaction';
import { changeStatus } from '@backfill/core/dispatch/change-status';
import { FatalError, StaleWorkError } from '@backfill/core/errors';
import type { Plan } from '@backfill/core/plan/plan';
import type { Runtime } from '@backfill/core/runtime/runtime';
import { digestRowsToPublish } from '../gates/rows-digest.ts';
import { readPublished } from './published-checksum.ts';

const ACTOR = 'verifier';

/** More of the batch is live by now than what was signed allows for. */
class OverlapGrewError extends Error {
  override name = 'OverlapGrewError';
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

async function publishInTransaction(client: Client, job: BatchJob, plan: Plan): Promise<PublishCounts> {
  await enterBatchFence(client, job.batch_id, ['publishing'], job.epoch);
  const signed = await checkSignedRows(client, job.batch_id);
  const counts = await publishRows(client, job.batch_id);
  crashPoint('publish:written');
  if (counts.newly_live > 0) {
    await recordNewlyLive(client, job.batch_id);
    const { staged, overlap } = await countOverlap(client, job.batch_id);
    if (overlap + counts.newly_live > plan.policy.gates.max_overlap * staged) {
      throw new OverlapGrewError(`${counts.newly_live} events became live since the verification`);
    }
  }
  if (counts.published + counts.newly_suppressed + counts.newly_live !== signed) {
    throw new FatalError(
      `of ${signed} signed rows ${counts.published} were published, and not all others are explained`,
    );
  }
  const published = await readPublished(client, job.batch_id);
  if (published.rowCount !== counts.published) {
    throw new FatalError(`${counts.published} rows were published and ${published.rowCount} are there`);
  }
  await setPublished(client, job.batch_id, published);
  const changed = await changeStatus(client, {
    batchId: job.batch_id,
    from: ['publishing'],
    to: 'published',
    reason: `${counts.published} events; left out: ${counts.newly_suppressed} newly suppressed, ${counts.newly_live} newly live`,
    epoch: job.epoch,
  });
  if (!changed) throw new StaleWorkError(`batch ${job.batch_id} was stopped`);
  crashPoint('publish:changed');
  return counts;
}

async function sendBackToVerify(runtime: Runtime, job: BatchJob, reason: string): Promise<void> {
  await withTransaction(runtime.pool, ACTOR, async (client) => {
    await recordNewlyLive(client, job.batch_id);
    const change = { batchId: job.batch_id, from: ['publishing' as const], to: 'verifying' as const, reason };
    if (!(await changeStatus(client, { ...change, epoch: job.epoch }))) {
      throw new StaleWorkError(`batch ${job.batch_id} was stopped`);
    }
  });
}

/**
 * Publishes a signed batch in one transaction: either every row is live and the batch says so, or nothing happened.
 * Rows that were suppressed or delivered live since the signing are left out and recorded; too many of the latter send
 * the batch back to its gates.
 */
export async function publishBatch(runtime: Runtime, job: BatchJob): Promise<void> {
  const { pool, logger } = runtime;
  await enterBatchFence(pool, job.batch_id, ['publishing'], job.epoch);
  const plan = await getPlan(pool, job.batch_id);
  if (plan === undefined) throw new FatalError(`batch ${job.batch_id} has no plan`);
  for (const day of await listDaysToPublish(pool, job.batch_id)) {
    await withTransaction(pool, ACTOR, (client) => ensureEventDay(client, day));
  }
  crashPoint('publish:prepared');
  try {
    const counts = await withTransaction(pool, ACTOR, (client) => publishInTransaction(client, job, plan));
    crashPoint('publish:committed');
    logger.info({ batch: job.batch_id, ...counts }, 'batch published');
  } catch (error) {
    if (!(error instanceof OverlapGrewError)) throw error;
    logger.warn({ batch: job.batch_id }, 'overlap grew: batch goes back to its gates');
    await sendBackToVerify(runtime, job, error.message);
  }
}
