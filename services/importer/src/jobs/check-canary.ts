import type { BatchJob } from '@backfill/core/contracts/batch-job';
import type { Client } from '@backfill/core/db/pool';
import { enterBatchFence } from '@backfill/core/db/queries/batch-fence';
import { type BatchRow, getBatchForStatusChange } from '@backfill/core/db/queries/batch-get';
import { clearImportLimit, setCanaryPassed } from '@backfill/core/db/queries/batch-set-canary';
import { countOpenWork } from '@backfill/core/db/queries/open-work-count';
import { getPlan } from '@backfill/core/db/queries/plan-get';
import { withTransaction } from '@backfill/core/db/transaction';
import { advanceBatch } from '@backfill/core/dispatch/advance-batch';
import { changeStatus } from '@backfill/core/dispatch/change-status';
import { createBatchReader } from '@backfill/core/dispatch/read-for-batch';
import { withFenceWatch } from '@backfill/core/dispatch/watch-fence';
import { canaryProblem } from '@backfill/core/domain/canary';
import { FatalError, StaleWorkError } from '@backfill/core/errors';
import type { Runtime } from '@backfill/core/runtime/runtime';
import { measureCanary } from '../canary/measure-canary.ts';

const ACTOR = 'importer';

/** The reason of the halt, with what a person does about it: what the plan has pinned, a resume alone does not change. */
function haltReason(batchId: string, problem: string): string {
  const way = `mend the source, the taxonomy or the input, then ./backfill rollback ${batchId} and ./backfill resume ${batchId}`;
  return `canary: ${problem}. What is wrong is pinned in the plan: ${way}, which plans it anew`;
}

/** Halts a batch at its import limit, if there is anything behind it. */
async function haltAtLimit(client: Client, { batch_id: batchId, import_limit: limit }: BatchRow): Promise<void> {
  if (limit === null) return;
  const open = await countOpenWork(client, batchId);
  if (open.chunks === 0 && open.parts === 0) return clearImportLimit(client, batchId);
  await changeStatus(client, {
    batchId,
    from: ['importing'],
    to: 'halted',
    reason: `the limit of ${limit} events is reached and the canary passed; ./backfill resume ${batchId} imports the rest`,
  });
}

/**
 * Looks at a canary that is imported, and lets the rest of its batch follow, or halts it with the reason. Measured outside
 * of the transaction that decides: nothing of the canary changes any more.
 */
export async function checkCanary(runtime: Runtime, job: BatchJob, signal: AbortSignal): Promise<void> {
  const { pool, logger } = runtime;
  const fence = await enterBatchFence(pool, job.batch_id, ['canary'], job.epoch);
  const plan = await getPlan(pool, job.batch_id);
  if (plan === undefined) throw new FatalError(`batch ${job.batch_id} has no plan`);
  const { counts, rows } = await withFenceWatch(pool, fence, signal, (watched) =>
    measureCanary(createBatchReader(pool, fence), plan, watched),
  );
  const problem = canaryProblem(counts, rows);
  await withTransaction(pool, ACTOR, async (client) => {
    const batch = await getBatchForStatusChange(client, job.batch_id);
    const change = { batchId: job.batch_id, from: ['canary'] as const, epoch: fence.epoch };
    await setCanaryPassed(client, job.batch_id, problem === undefined);
    const changed =
      problem === undefined
        ? await changeStatus(client, { ...change, to: 'importing' })
        : await changeStatus(client, { ...change, to: 'halted', reason: haltReason(job.batch_id, problem) });
    if (!changed || batch === undefined) throw new StaleWorkError(`batch ${job.batch_id} was stopped`);
    if (problem === undefined) await haltAtLimit(client, batch);
  });
  logger.info({ batch: job.batch_id, ...counts, problem }, 'canary checked');
  await advanceBatch(pool, job.batch_id, ACTOR);
}
