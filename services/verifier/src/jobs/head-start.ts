import type { BatchJob } from '@backfill/core/contracts/batch-job';
import { crashPoint } from '@backfill/core/crash-point';
import { enterBatchFence } from '@backfill/core/db/queries/batch-fence';
import { getBatch } from '@backfill/core/db/queries/batch-get';
import { listMirrorObjects } from '@backfill/core/db/queries/mirror-object-list';
import { getPlan } from '@backfill/core/db/queries/plan-get';
import { withFenceWatch } from '@backfill/core/dispatch/watch-fence';
import { DeferError, FatalError } from '@backfill/core/errors';
import type { KeyedRuntime } from '@backfill/core/runtime/keyed-runtime';
import { obtainReading } from '../recount/kept-reading.ts';
import { prepareRecount } from '../recount/recount-context.ts';

const STATUSES = ['importing', 'verifying'] as const;
const COME_BACK_MS = 1_000;

async function readMirror(runtime: KeyedRuntime, job: BatchJob, signal: AbortSignal): Promise<void> {
  const { pool, logger } = runtime;
  const fence = await enterBatchFence(pool, job.batch_id, STATUSES, job.epoch);
  const batch = await getBatch(pool, job.batch_id);
  const plan = await getPlan(pool, job.batch_id);
  if (batch?.plan_hash == null || plan === undefined) throw new FatalError(`batch ${job.batch_id} has no plan`);
  const { plan_hash: planHash } = batch;
  let lines = 0;
  await withFenceWatch(pool, fence, signal, async (watched) => {
    const context = await prepareRecount(runtime, fence, { plan, planHash });
    for (const file of await context.read((db) => listMirrorObjects(db, job.batch_id))) {
      const { reading } = await obtainReading(context, file, watched);
      lines += reading.lines;
      crashPoint('recount:kept');
    }
  });
  logger.info({ batch: job.batch_id, lines }, 'mirror read a second time');
}

/**
 * The second reading of a batch's mirror, begun while the batch is still imported: it needs nothing but the mirror and the
 * plan. Only a head start; the verification makes good what is not there.
 *
 * One job's room is always left to verifications and publishes, which somebody waits for.
 *
 * @throws {DeferError} (from what is returned) when there is no room now.
 */
export function createHeadStart(runtime: KeyedRuntime): (job: BatchJob, signal: AbortSignal) => Promise<void> {
  const most = runtime.config.concurrency - 1;
  let running = 0;
  return async (job, signal) => {
    if (most === 0) return;
    if (running >= most) throw new DeferError('other batches are read a second time now', COME_BACK_MS);
    running += 1;
    try {
      await readMirror(runtime, job, signal);
    } finally {
      running -= 1;
    }
  };
}
