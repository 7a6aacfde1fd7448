import type { BatchJob } from '@backfill/core/contracts/batch-job';
import { crashPoint } from '@backfill/core/crash-point';
import type { Client } from '@backfill/core/db/pool';
import { type BatchFence, checkBatchFence, enterBatchFence } from '@backfill/core/db/queries/batch-fence';
import { type BatchRow, getBatch } from '@backfill/core/db/queries/batch-get';
import { createOccurrenceTables, storeOccurrences } from '@backfill/core/db/queries/occurrences';
import { type PlannedFile, sealPlan } from '@backfill/core/db/queries/plan-seal';
import { type Session, withSession, withTransaction } from '@backfill/core/db/transaction';
import { changeStatus } from '@backfill/core/dispatch/change-status';
import { withFenceWatch } from '@backfill/core/dispatch/watch-fence';
import { FatalError, StaleWorkError } from '@backfill/core/errors';
import { type ManifestEntry, type Plan, planHash } from '@backfill/core/plan/plan';
import { retentionCutoffs, retentionExceptionOf } from '@backfill/core/plan/retention';
import { buildRecipe, countsOccurrences, isCopied, recipeHash } from '@backfill/core/recipe/recipe';
import { requireResidency } from '@backfill/core/runtime/check-residency';
import type { KeyedRuntime } from '@backfill/core/runtime/keyed-runtime';
import { parseS3Prefix } from '@backfill/core/storage/layout';
import { numberOccurrences } from '@backfill/core/transform/number-occurrences';
import { pinCopies } from '@backfill/core/transform/pin-copies';
import { formatHints, type PinnedInput, pinInput } from '@backfill/core/transform/pin-input';
import { inputWork } from '@backfill/core/transform/transform-work';
import { buildPlan, loadConfigForPlan } from '../plan/build-plan.ts';
import { checkKpis } from '../plan/check-kpis.ts';
import { pinKeys } from '../plan/pin-keys.ts';

const ACTOR = 'transformer';

/** Takes the batch into `planning`, or finds it there after a crash. */
async function beginPlanning(context: KeyedRuntime, job: BatchJob): Promise<{ batch: BatchRow; fence: BatchFence }> {
  return withTransaction(context.pool, ACTOR, async (client) => {
    await changeStatus(client, { batchId: job.batch_id, from: ['submitted'], to: 'planning', epoch: job.epoch });
    const fence = await enterBatchFence(client, job.batch_id, ['planning'], job.epoch);
    const batch = await getBatch(client, job.batch_id);
    if (batch === undefined) throw new StaleWorkError(`batch ${job.batch_id} is gone`);
    return { batch, fence };
  });
}

function checkSize({ files }: PinnedInput, input: string, maxRows: number): void {
  const lines = files.reduce((sum, file) => sum + file.lineCount, 0);
  if (lines === 0) {
    throw new FatalError(`there is no line in the ${files.length} object(s) under ${input}: nothing to replay`);
  }
  if (lines > maxRows) {
    const batches = Math.ceil(lines / maxRows);
    throw new FatalError(
      `${lines} lines are more than max_batch_rows (${maxRows}): split the input and its window into ${batches} batches`,
    );
  }
}

function toManifestEntry({ sourceFile, size, sha256, format, lineCount, copy }: PlannedFile): ManifestEntry {
  const entry = { source_file: sourceFile, size, sha256, format, lines: lineCount };
  return copy === null ? entry : { ...entry, copy };
}

/** The cut-off as far as it matters: where nothing of the window can expire, two plans have the same recipe at any time. */
function cutoffInWindow(cutoffMs: number | null, windowStart: Date): number | null {
  return cutoffMs !== null && cutoffMs <= windowStart.getTime() ? null : cutoffMs;
}

async function makePlan(
  context: KeyedRuntime,
  batch: BatchRow,
  session: Session,
  signal: AbortSignal,
): Promise<{ plan: Plan; input: PinnedInput }> {
  const { config, store, keys } = context;
  const source = parseS3Prefix(batch.input);
  if (source === undefined) throw new FatalError(`${batch.input} is not of the form s3://bucket/prefix/`);
  await requireResidency(context, [source.bucket]);
  const files = await loadConfigForPlan(config.configDir, batch.source);
  await checkKpis(context.pool, files, batch.source);
  const retentionException = retentionExceptionOf(batch.request, Date.now());
  const cutoffs = retentionCutoffs(files.policy.retention, retentionException, Date.now());
  if (cutoffs.eventsMs !== null && batch.window_end.getTime() <= cutoffs.eventsMs) {
    throw new FatalError(
      `every event of the window would be expired: it ends before ${new Date(cutoffs.eventsMs).toISOString()}. ` +
        'Submit another batch with a retention_exception {why, until} if it must be replayed',
    );
  }
  const recipe = buildRecipe(files, batch.source, {
    windowStartMs: batch.window_start.getTime(),
    windowEndMs: batch.window_end.getTime(),
    retentionCutoffMs: cutoffInWindow(cutoffs.eventsMs, batch.window_start),
    keys: await pinKeys(context, batch, files.policy, cutoffs.eventsMs),
  });
  const input = await pinInput(store, {
    ...source,
    ...formatHints(recipe),
    chunkBytes: config.chunkBytes,
    oldestAllowed: cutoffs.objects,
    signal,
  });
  checkSize(input, batch.input, files.policy.limits.max_batch_rows);
  if (countsOccurrences(recipe)) {
    await createOccurrenceTables(session.client);
    const work = inputWork({ store, signal }, { batchId: batch.batch_id, recipe, ...source, input });
    await numberOccurrences(session.client, work, { keys, signal });
  }
  const { chunkBytes } = config;
  const pinned = isCopied(recipe)
    ? await pinCopies(store, input, { ...source, recipe, keys, chunkBytes, signal })
    : input;
  const manifest = pinned.files.map(toManifestEntry);
  return { plan: buildPlan({ batch, config: files, recipe, manifest, retentionException }), input: pinned };
}

async function seal(client: Client, fence: BatchFence, plan: Plan, input: PinnedInput): Promise<void> {
  await enterBatchFence(client, fence.batchId, ['planning'], fence.epoch);
  await sealPlan(client, { plan, planHash: planHash(plan), recipeHash: recipeHash(plan.recipe), ...input });
  if (countsOccurrences(plan.recipe)) await storeOccurrences(client, fence.batchId);
  const { run, rehearsal } = plan.policy.approvals;
  const needsApproval = run.length > 0 || rehearsal === true;
  const sealed = await changeStatus(client, {
    batchId: fence.batchId,
    from: ['planning'],
    to: needsApproval ? 'awaiting_run_approval' : 'preparing',
    epoch: fence.epoch,
  });
  if (!sealed) throw new StaleWorkError(`batch ${fence.batchId} was stopped`);
  crashPoint('plan:written');
}

/**
 * Plans a batch: pins every object of its input, pins the recipe, writes the chunk ledger, and seals all of it under
 * one hash. Reads only; a crash before the seal leaves nothing.
 */
export async function planBatch(context: KeyedRuntime, job: BatchJob, signal: AbortSignal): Promise<void> {
  const { pool, logger } = context;
  const { batch, fence } = await beginPlanning(context, job);
  crashPoint('plan:begun');
  await withFenceWatch(pool, fence, signal, async (watched) => {
    const { plan, input } = await withSession(pool, async (session) => {
      const made = await makePlan(context, batch, session, watched);
      crashPoint('plan:made');
      await checkBatchFence(pool, fence);
      await session.transact(ACTOR, (client) => seal(client, fence, made.plan, made.input));
      crashPoint('plan:sealed');
      return made;
    });
    logger.info(
      { batch: batch.batch_id, files: input.files.length, chunks: input.chunks.length, plan: planHash(plan) },
      'batch planned',
    );
  });
}
