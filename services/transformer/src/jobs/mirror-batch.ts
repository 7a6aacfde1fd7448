import type { BatchJob } from '@backfill/core/contracts/batch-job';
import { type BatchFence, enterBatchFence } from '@backfill/core/db/queries/batch-fence';
import { getBatch } from '@backfill/core/db/queries/batch-get';
import { type BatchFile, listFiles, markFileMirrored } from '@backfill/core/db/queries/file-list';
import { getPlan } from '@backfill/core/db/queries/plan-get';
import { createStagingLeaf } from '@backfill/core/db/queries/staging-leaf';
import { withTransaction } from '@backfill/core/db/transaction';
import { changeStatus } from '@backfill/core/dispatch/change-status';
import { withFenceWatch } from '@backfill/core/dispatch/watch-fence';
import { FatalError, StaleWorkError } from '@backfill/core/errors';
import { manifestChecksum, type Plan } from '@backfill/core/plan/plan';
import { requireResidency } from '@backfill/core/runtime/check-residency';
import { hashedStream } from '@backfill/core/storage/hashed-stream';
import { archiveLayout, parseS3Prefix } from '@backfill/core/storage/layout';
import type { TransformerContext } from '../context.ts';

const ACTOR = 'transformer';

/** Copies one pinned object byte for byte, and proves by sha256 that what was copied is what was planned. */
async function mirrorFile(
  context: TransformerContext,
  plan: Plan,
  file: BatchFile,
  signal: AbortSignal,
): Promise<void> {
  const { store, config } = context;
  const source = parseS3Prefix(plan.input);
  if (source === undefined) throw new FatalError(`${plan.input} is not of the form s3://bucket/prefix/`);
  const name = `${plan.input}${file.source_file}`;
  const body = await store.get(source.bucket, source.prefix + file.source_file, { ifMatch: file.etag });
  const original = hashedStream(body, signal);
  const key = archiveLayout.mirrorObject(plan.batchId, file.source_file);
  await store.putStream(config.storage.archiveBucket, key, original.stream, signal);
  const copied = original.sha256();
  if (copied !== file.sha256) {
    throw new FatalError(
      `${name} was changed since it was planned: its sha256 was ${file.sha256} and is now ${copied}. ` +
        'Resume plans the batch anew, and it needs its approvals again',
    );
  }
}

async function writeManifest(context: TransformerContext, plan: Plan): Promise<void> {
  const manifest = {
    version: 1,
    batch_id: plan.batchId,
    input: plan.input,
    checksum: manifestChecksum(plan.manifest),
    objects: plan.manifest.map(({ source_file, ...entry }) => ({ key: source_file, ...entry })),
  };
  await context.store.put(
    context.config.storage.archiveBucket,
    archiveLayout.manifest(plan.batchId),
    Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`),
    'application/json',
  );
}

async function beginTransforming(context: TransformerContext, fence: BatchFence): Promise<void> {
  await withTransaction(context.pool, ACTOR, async (client) => {
    await enterBatchFence(client, fence.batchId, ['preparing'], fence.epoch);
    await createStagingLeaf(client, fence.batchId);
    const change = { batchId: fence.batchId, from: ['preparing' as const], to: 'canary' as const, epoch: fence.epoch };
    if (!(await changeStatus(client, change))) throw new StaleWorkError(`batch ${fence.batchId} was stopped`);
  });
}

/**
 * Copies the approved input into the archive, file by file, and goes on where a crash interrupted it. From here on
 * everything reads the mirror.
 */
export async function mirrorBatch(context: TransformerContext, job: BatchJob, signal: AbortSignal): Promise<void> {
  const { pool, logger } = context;
  const fence = await enterBatchFence(pool, job.batch_id, ['preparing'], job.epoch);
  const batch = await getBatch(pool, job.batch_id);
  const plan = await getPlan(pool, job.batch_id);
  if (batch === undefined || plan === undefined) throw new FatalError(`batch ${job.batch_id} has no plan`);
  const source = parseS3Prefix(plan.input);
  await requireResidency(context, source === undefined ? [] : [source.bucket]);
  await withFenceWatch(pool, fence, signal, async (watched) => {
    for (const file of await listFiles(pool, job.batch_id)) {
      if (file.mirrored_at !== null) continue;
      await mirrorFile(context, plan, file, watched);
      await markFileMirrored(pool, job.batch_id, file.file_no, fence.epoch);
    }
    await writeManifest(context, plan);
  });
  await beginTransforming(context, fence);
  logger.info({ batch: job.batch_id, files: plan.manifest.length }, 'batch mirrored');
}
