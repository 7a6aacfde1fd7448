import type { BatchJob } from '@backfill/core/contracts/batch-job';
import { enterBatchFence } from '@backfill/core/db/queries/batch-fence';
import { insertIncident } from '@backfill/core/db/queries/incident-insert';
import { getPlan } from '@backfill/core/db/queries/plan-get';
import { getOpenPublish, holdPublishAt } from '@backfill/core/db/queries/publish-steps';
import { withTransaction } from '@backfill/core/db/transaction';
import { changeStatus } from '@backfill/core/dispatch/change-status';
import { createBatchReader } from '@backfill/core/dispatch/read-for-batch';
import { withFenceWatch } from '@backfill/core/dispatch/watch-fence';
import { FatalError, StaleWorkError } from '@backfill/core/errors';
import type { Runtime } from '@backfill/core/runtime/runtime';
import { countPublished } from '../publish/count-published.ts';
import { publishSignedRows } from '../publish/publish-signed-rows.ts';
import { ACTOR, OutdatedError, type PublishWork } from '../publish/publish-work.ts';
import { snapshotWindow } from '../publish/snapshot-window.ts';

async function sendBackToVerify(
  { pool }: Runtime,
  job: BatchJob,
  publishId: number,
  { message: reason, incident }: OutdatedError,
): Promise<void> {
  await withTransaction(pool, ACTOR, async (client) => {
    if (!(await holdPublishAt(client, publishId, ['snapshot', 'rows']))) {
      throw new StaleWorkError(`the publish of batch ${job.batch_id} has moved on`);
    }
    if (incident !== undefined) await insertIncident(client, job.batch_id, incident, reason);
    const change = { batchId: job.batch_id, from: ['publishing' as const], to: 'verifying' as const, reason };
    if (!(await changeStatus(client, { ...change, epoch: job.epoch }))) {
      throw new StaleWorkError(`batch ${job.batch_id} was stopped`);
    }
  });
}

/** The steps that are left, in their order. Each notes its end, so that whoever comes after a crash begins behind it. */
async function takeSteps(work: PublishWork): Promise<void> {
  const { step } = work.publish;
  if (step === 'snapshot') await snapshotWindow(work);
  if (step !== 'count') await publishSignedRows(work);
  await countPublished(work);
}

/**
 * Publishes a signed batch: a snapshot of its window, one transaction that makes its rows live, a count of what is live
 * then. Too much that has changed since the signing sends the batch back to its gates.
 */
export async function publishBatch(runtime: Runtime, job: BatchJob, signal: AbortSignal): Promise<void> {
  const { pool, logger } = runtime;
  const { batch_id: batchId } = job;
  const fence = await enterBatchFence(pool, batchId, ['publishing'], job.epoch);
  const plan = await getPlan(pool, batchId);
  const publish = await getOpenPublish(pool, batchId);
  if (plan === undefined || publish === undefined) throw new FatalError(`batch ${batchId} has no plan or no go`);
  const read = createBatchReader(pool, fence);
  try {
    await withFenceWatch(pool, fence, signal, (watched) =>
      takeSteps({ runtime, batchId, plan, publish, fence, read, signal: watched }),
    );
  } catch (error) {
    if (!(error instanceof OutdatedError)) throw error;
    logger.warn({ batch: batchId }, 'what was signed is out of date: batch goes back to its gates');
    await sendBackToVerify(runtime, job, publish.publish_id, error);
  }
}
