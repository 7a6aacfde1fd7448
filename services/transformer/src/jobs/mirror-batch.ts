import { Readable } from 'node:stream';
import type { BatchJob } from '@backfill/core/contracts/batch-job';
import { crashPoint } from '@backfill/core/crash-point';
import { type BatchFence, checkBatchFence, enterBatchFence } from '@backfill/core/db/queries/batch-fence';
import { type BatchRow, getBatch } from '@backfill/core/db/queries/batch-get';
import { listForgottenPeople } from '@backfill/core/db/queries/erasures';
import {
  type BatchFile,
  isAmended,
  isFileMirrored,
  listFiles,
  markFileMirrored,
} from '@backfill/core/db/queries/file-list';
import { getPlan } from '@backfill/core/db/queries/plan-get';
import { createStagingLeaf } from '@backfill/core/db/queries/staging-leaf';
import { withTransaction } from '@backfill/core/db/transaction';
import { changeStatus } from '@backfill/core/dispatch/change-status';
import { withFenceWatch } from '@backfill/core/dispatch/watch-fence';
import { eraseInBatch } from '@backfill/core/erasure/erase-batch';
import { DeferError, FatalError, StaleWorkError } from '@backfill/core/errors';
import { mirrorManifest } from '@backfill/core/plan/mirror-manifest';
import type { Plan } from '@backfill/core/plan/plan';
import { PiiCounter } from '@backfill/core/recipe/pii-counter';
import { isCopied } from '@backfill/core/recipe/recipe';
import { requireResidency } from '@backfill/core/runtime/check-residency';
import type { KeyedRuntime } from '@backfill/core/runtime/keyed-runtime';
import { archiveLayout, parseS3Prefix } from '@backfill/core/storage/layout';
import { mirrorBytes, mirrorCopy } from './mirror-file.ts';

const ACTOR = 'transformer';
const TAKEN_DELAY_MS = 1_000;

/**
 * Takes away what a process has written that died before it said so, or what an attempt before has left.
 *
 * @returns false when a twin has mirrored the file: it stays
 */
async function clearPlace(
  { pool, store, config }: KeyedRuntime,
  fence: BatchFence,
  { file_no: fileNo, source_file: sourceFile }: BatchFile,
): Promise<boolean> {
  const { archiveBucket } = config.storage;
  const key = archiveLayout.mirrorObject(fence.batchId, sourceFile);
  if (!(await store.exists(archiveBucket, key))) return true;
  await checkBatchFence(pool, fence);
  if (await isFileMirrored(pool, fence.batchId, fileNo)) return false;
  await store.remove(archiveBucket, key);
  return true;
}

/**
 * Lists what the mirror is going to hold, before anything of it is there: whoever is forgotten while it is half made is so in
 * a version of this list. Writes over nothing that others have written since it has looked.
 *
 * @throws {DeferError} when somebody else has written it meanwhile
 */
async function writeManifest(
  { pool, store, config }: KeyedRuntime,
  plan: Plan,
  fence: BatchFence,
  signal: AbortSignal,
) {
  const { archiveBucket } = config.storage;
  const key = archiveLayout.manifest(plan.batchId);
  const was = await store.etagOf(archiveBucket, key, signal);
  await checkBatchFence(pool, fence);
  if (await isAmended(pool, plan.batchId)) return;
  const text = Readable.from([Buffer.from(`${JSON.stringify(mirrorManifest(plan), null, 2)}\n`)], {
    objectMode: false,
  });
  const isWritten = await (was === undefined
    ? store.putStreamOnce(archiveBucket, key, text, signal)
    : store.replaceStream(archiveBucket, key, text, was, signal));
  if (!isWritten) throw new DeferError('the manifest of the mirror was written by another worker', TAKEN_DELAY_MS);
}

/** Empties the lines of people who are to be forgotten: whoever replays old logs must not bring them back. */
async function forgetPeople(context: KeyedRuntime, batch: BatchRow, fence: BatchFence, signal: AbortSignal) {
  const { pool, store, config, keys } = context;
  const people = await listForgottenPeople(pool);
  const [erasureId] = people.values();
  if (erasureId === undefined) return;
  const failures = await withFenceWatch(pool, fence, signal, (watched) =>
    eraseInBatch(
      { pool, store, config, keys, people, signal: watched },
      {
        ...{ batch, erasureId, pseudonyms: [...people.keys()] },
        hold: async (client) => void (await enterBatchFence(client, fence.batchId, fence.statuses, fence.epoch)),
      },
    ),
  );
  if (failures.length > 0) throw failures[0];
  crashPoint('erase:mirrored');
}

async function beginTransforming(context: KeyedRuntime, fence: BatchFence): Promise<void> {
  await withTransaction(context.pool, ACTOR, async (client) => {
    await enterBatchFence(client, fence.batchId, ['preparing'], fence.epoch);
    await createStagingLeaf(client, fence.batchId);
    const change = { batchId: fence.batchId, from: ['preparing' as const], to: 'canary' as const, epoch: fence.epoch };
    if (!(await changeStatus(client, change))) throw new StaleWorkError(`batch ${fence.batchId} was stopped`);
  });
}

/**
 * Copies the approved input into the archive, file by file, and goes on where a crash interrupted it: the bytes, or of a
 * source from outside the EU what may be kept of them. From here on everything reads the mirror.
 */
export async function mirrorBatch(context: KeyedRuntime, job: BatchJob, signal: AbortSignal): Promise<void> {
  const { pool, logger } = context;
  const fence = await enterBatchFence(pool, job.batch_id, ['preparing'], job.epoch);
  const batch = await getBatch(pool, job.batch_id);
  const plan = await getPlan(pool, job.batch_id);
  if (batch === undefined || plan === undefined) throw new FatalError(`batch ${job.batch_id} has no plan`);
  const source = parseS3Prefix(plan.input);
  await requireResidency(context, source === undefined ? [] : [source.bucket]);
  const observer = new PiiCounter();
  await withFenceWatch(pool, fence, signal, async (watched) => {
    await writeManifest(context, plan, fence, watched);
    crashPoint('mirror:listed');
    for (const file of await listFiles(pool, job.batch_id)) {
      if (file.mirrored_at !== null) continue;
      if (!(await clearPlace(context, fence, file))) continue;
      const toMirror = { plan, file, signal: watched };
      await (isCopied(plan.recipe) ? mirrorCopy(context, toMirror, observer) : mirrorBytes(context, toMirror));
      crashPoint('mirror:copied');
      await markFileMirrored(pool, job.batch_id, file.file_no, fence.epoch);
      crashPoint('mirror:marked');
    }
  });
  await forgetPeople(context, batch, fence, signal);
  await beginTransforming(context, fence);
  crashPoint('mirror:left');
  const pii = isCopied(plan.recipe) ? { pii: observer.counts } : {};
  logger.info({ batch: job.batch_id, files: plan.manifest.length, ...pii }, 'batch mirrored');
}
