import type { BatchJob } from '@backfill/core/contracts/batch-job';
import type { Client } from '@backfill/core/db/pool';
import { enterBatchFence } from '@backfill/core/db/queries/batch-fence';
import { getPlan } from '@backfill/core/db/queries/plan-get';
import {
  countOverlap,
  ensureEventDays,
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
import { writeReport } from '../report/write-report.ts';
import { readPublished } from './published-checksum.ts';

const ACTOR = 'verifier';

/** More of the batch is live by now than what was signed allows for. */
class OverlapGrewError extends Error {
  override name = 'OverlapGrewError';
}

async function publishInTransaction(client: Client, job: BatchJob, plan: Plan): Promise<PublishCounts> {
  await enterBatchFence(client, job.batch_id, ['publishing'], job.epoch);
  const counts = await publishRows(client, job.batch_id);
  if (counts.newly_live > 0) {
    await recordNewlyLive(client, job.batch_id);
    const { staged, overlap } = await countOverlap(client, job.batch_id);
    if (overlap + counts.newly_live > plan.policy.gates.max_overlap * staged) {
      throw new OverlapGrewError(`${counts.newly_live} events became live since the verification`);
    }
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
  return counts;
}

async function sendBackToVerify(runtime: Runtime, job: BatchJob, reason: string): Promise<void> {
  await withTransaction(runtime.pool, ACTOR, async (client) => {
    await recordNewlyLive(client, job.batch_id);
    await changeStatus(client, {
      batchId: job.batch_id,
      from: ['publishing'],
      to: 'verifying',
      reason,
      epoch: job.epoch,
    });
  });
}

/**
 * Publishes a signed batch in one transaction: either every row is live and the batch says so, or nothing happened.
 * Rows that were suppressed or delivered live since the signing are left out and recorded; too many of the latter send
 * the batch back to its gates.
 */
export async function publishBatch(runtime: Runtime, job: BatchJob): Promise<void> {
  const { pool, logger } = runtime;
  await enterBatchFence(pool, job.batch_id, ['publishing', 'published'], job.epoch);
  const plan = await getPlan(pool, job.batch_id);
  if (plan === undefined) throw new FatalError(`batch ${job.batch_id} has no plan`);
  const alreadyPublished = await isPublished(runtime, job);
  if (!alreadyPublished) {
    await withTransaction(pool, ACTOR, (client) => ensureEventDays(client, job.batch_id));
    try {
      const counts = await withTransaction(pool, ACTOR, (client) => publishInTransaction(client, job, plan));
      logger.info({ batch: job.batch_id, ...counts }, 'batch published');
    } catch (error) {
      if (!(error instanceof OverlapGrewError)) throw error;
      logger.warn({ batch: job.batch_id }, 'overlap grew: batch goes back to its gates');
      return sendBackToVerify(runtime, job, error.message);
    }
  }
  await writeReport(runtime, job.batch_id);
}

async function isPublished(runtime: Runtime, job: BatchJob): Promise<boolean> {
  const { rowCount } = await runtime.pool.query(
    `select 1 from analytics.backfill_batches where batch_id = $1 and status = 'published'`,
    [job.batch_id],
  );
  return rowCount === 1;
}
