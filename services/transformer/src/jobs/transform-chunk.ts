import type { ChunkJob } from '@backfill/core/contracts/raw-chunks';
import { crashPoint } from '@backfill/core/crash-point';
import { type BatchFence, enterBatchFence } from '@backfill/core/db/queries/batch-fence';
import { type Chunk, getChunk, markChunkDone } from '@backfill/core/db/queries/chunk-get';
import { listErasedLines } from '@backfill/core/db/queries/erased-line-list';
import { listBatchOccurrences } from '@backfill/core/db/queries/occurrences';
import { getPartsOfChunk } from '@backfill/core/db/queries/part-progress';
import { getPlan } from '@backfill/core/db/queries/plan-get';
import { listSuppressedSubjects } from '@backfill/core/db/queries/suppression-list';
import { withTransaction } from '@backfill/core/db/transaction';
import { advanceBatch } from '@backfill/core/dispatch/advance-batch';
import { withFenceWatch } from '@backfill/core/dispatch/watch-fence';
import { StaleWorkError } from '@backfill/core/errors';
import type { Plan } from '@backfill/core/plan/plan';
import type { LineTransformer } from '@backfill/core/recipe/compile-recipe';
import { PiiCounter, type PiiCounts } from '@backfill/core/recipe/pii-counter';
import { countsOccurrences } from '@backfill/core/recipe/recipe';
import type { KeyedRuntime } from '@backfill/core/runtime/keyed-runtime';
import { archiveLayout } from '@backfill/core/storage/layout';
import { compilePinnedRecipe } from '@backfill/core/transform/compile-pinned-recipe';
import { cutParts } from '@backfill/core/transform/cut-parts';
import { markErased } from '@backfill/core/transform/mark-erased';
import { numberLines } from '@backfill/core/transform/number-lines';
import { readChunk } from '@backfill/core/transform/read-chunk';
import { choosePartSize } from './choose-part-size.ts';
import { ChunkPace } from './chunk-pace.ts';
import { registerPart } from './register-part.ts';

const ACTOR = 'transformer';
const STATUSES = ['canary', 'importing'] as const;

interface ChunkWork {
  fence: BatchFence;
  chunk: Chunk;
  plan: Plan;
}

async function loadChunk(context: KeyedRuntime, job: ChunkJob): Promise<ChunkWork> {
  const fence = await enterBatchFence(context.pool, job.batch_id, STATUSES);
  const chunk = await getChunk(context.pool, job.chunk_id);
  const plan = await getPlan(context.pool, job.batch_id);
  if (chunk === undefined || plan === undefined || chunk.epoch !== job.epoch) {
    throw new StaleWorkError(`chunk ${job.chunk_id} is not what it was`);
  }
  return { fence, chunk, plan };
}

async function compileTransformer(
  context: KeyedRuntime,
  { plan, chunk }: ChunkWork,
  observer: PiiCounter,
): Promise<LineTransformer> {
  const suppressed = new Set(await listSuppressedSubjects(context.pool));
  const isSuppressed = (subjectId: string) => suppressed.has(subjectId);
  return compilePinnedRecipe(plan.recipe, { keys: context.keys, isSuppressed, observer }, chunk);
}

/** Streams the chunk's lines through the recipe and registers each part as it is full. Counts what the rules did. */
async function transformLines(
  context: KeyedRuntime,
  work: ChunkWork,
  pace: ChunkPace,
  signal: AbortSignal,
): Promise<PiiCounts> {
  const { fence, chunk, plan } = work;
  const { store, config } = context;
  const observer = new PiiCounter();
  const transform = await compileTransformer(context, work, observer);
  const object = {
    bucket: config.storage.archiveBucket,
    key: archiveLayout.mirrorObject(chunk.batch_id, chunk.source_file),
  };
  const read = markErased(
    readChunk(store, object, chunk, { maxLineBytes: plan.recipe.limits.maxLineBytes, signal }),
    (span) => listErasedLines(context.pool, chunk.batch_id, chunk.file_no, span),
  );
  const lines = countsOccurrences(plan.recipe)
    ? numberLines(read, (numbered) => listBatchOccurrences(context.pool, chunk.batch_id, chunk.file_no, numbered))
    : read;
  const parts = cutParts(lines, transform, chunk, {
    // Parts that were registered before a crash are not made again.
    done: await getPartsOfChunk(context.pool, chunk.chunk_id),
    nextPart: (partNo) => {
      pace.beginParts();
      return choosePartSize(context, chunk, plan, partNo);
    },
  });
  for await (const cut of parts) {
    signal.throwIfAborted();
    await registerPart(context, { fence, chunk, ...cut, source: plan.recipe.source.source }, signal);
    await pace.afterPart(signal);
  }
  return observer.counts;
}

/**
 * Transforms one chunk of the mirror into import parts, as a stream: memory does not grow with the file. Each part is
 * committed on its own, so a crash costs at most the part at hand.
 *
 * @throws {DeferError} when the importers lag, or other batches wait for the transformer: the rest comes later.
 */
export async function transformChunk(context: KeyedRuntime, job: ChunkJob, signal: AbortSignal): Promise<void> {
  const work = await loadChunk(context, job);
  if (work.chunk.state === 'open') {
    const pace = new ChunkPace(context, job.batch_id);
    await pace.requireRoom();
    const pii = await withFenceWatch(context.pool, work.fence, signal, (watched) =>
      transformLines(context, work, pace, watched),
    );
    await withTransaction(context.pool, ACTOR, async (client) => {
      await enterBatchFence(client, job.batch_id, STATUSES, work.fence.epoch);
      await markChunkDone(client, job.chunk_id);
      crashPoint('transform:marked');
    });
    crashPoint('transform:done');
    context.logger.info(
      { batch: job.batch_id, chunk: job.chunk_id, lines: work.chunk.line_count, pii },
      'chunk transformed',
    );
  }
  await advanceBatch(context.pool, job.batch_id, ACTOR);
}
