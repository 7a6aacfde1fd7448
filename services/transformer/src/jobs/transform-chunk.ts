import type { Readable } from 'node:stream';
import type { ChunkJob } from '@backfill/core/contracts/raw-chunks';
import { type BatchFence, enterBatchFence } from '@backfill/core/db/queries/batch-fence';
import { type Chunk, getChunk, markChunkDone } from '@backfill/core/db/queries/chunk-get';
import { getPartsOfChunk } from '@backfill/core/db/queries/part-progress';
import { getPlan } from '@backfill/core/db/queries/plan-get';
import { listSuppressedSubjects } from '@backfill/core/db/queries/suppression-list';
import { withTransaction } from '@backfill/core/db/transaction';
import { advanceBatch } from '@backfill/core/dispatch/advance-batch';
import { withFenceWatch } from '@backfill/core/dispatch/watch-fence';
import { FatalError, StaleWorkError } from '@backfill/core/errors';
import { decompress } from '@backfill/core/formats/compression';
import { splitLines } from '@backfill/core/formats/split-lines';
import type { Plan } from '@backfill/core/plan/plan';
import { compileRecipe, type LineTransformer } from '@backfill/core/recipe/compile-recipe';
import { keyCheck } from '@backfill/core/recipe/pseudonym';
import { archiveLayout } from '@backfill/core/storage/layout';
import type { TransformerContext } from '../context.ts';
import { PartBuilder } from './part-builder.ts';
import { registerPart } from './register-part.ts';

const ACTOR = 'transformer';
const STATUSES = ['canary', 'importing'] as const;
/** The first part of a batch is small: it goes through alone. */
const CANARY_LINES = 1_000;
/** Raw bytes after which a part is cut, whatever its lines: bounds memory and the import's transaction. */
const PART_BYTES = 32 * 1024 * 1024;

interface ChunkWork {
  fence: BatchFence;
  chunk: Chunk;
  plan: Plan;
}

async function loadChunk(context: TransformerContext, job: ChunkJob): Promise<ChunkWork> {
  const fence = await enterBatchFence(context.pool, job.batch_id, STATUSES);
  const chunk = await getChunk(context.pool, job.chunk_id);
  const plan = await getPlan(context.pool, job.batch_id);
  if (chunk === undefined || plan === undefined || chunk.epoch !== job.epoch) {
    throw new StaleWorkError(`chunk ${job.chunk_id} is not what it was`);
  }
  return { fence, chunk, plan };
}

async function compileTransformer(context: TransformerContext, plan: Plan): Promise<LineTransformer> {
  if (plan.recipe.keyChecks['1'] !== keyCheck(context.salt)) {
    throw new FatalError('analytics_salt is not the key that this batch was planned with');
  }
  const suppressed = new Set(await listSuppressedSubjects(context.pool));
  return compileRecipe(plan.recipe, { salt: context.salt, isSuppressed: (subjectId) => suppressed.has(subjectId) });
}

/** The chunk's text: a range of the mirrored file, or all of it when it is compressed. */
async function openChunk(context: TransformerContext, chunk: Chunk, signal: AbortSignal): Promise<Readable> {
  const key = archiveLayout.mirrorObject(chunk.batch_id, chunk.source_file);
  const range = chunk.compression === 'none' ? { range: { start: chunk.byte_start, end: chunk.byte_end } } : {};
  const body = await context.store.get(context.config.storage.archiveBucket, key, range);
  signal.addEventListener('abort', () => body.destroy(), { once: true });
  return decompress(body, chunk.compression);
}

/** Streams the chunk's lines through the recipe and registers each part as it is full. */
async function transformLines(
  context: TransformerContext,
  { fence, chunk, plan }: ChunkWork,
  signal: AbortSignal,
): Promise<void> {
  const transform = await compileTransformer(context, plan);
  const registered = await getPartsOfChunk(context.pool, chunk.chunk_id);
  let partNo = registered.parts;
  let nextLine = chunk.first_line + registered.lines;
  let builder = new PartBuilder(chunk.batch_id, chunk.source_file, nextLine);

  const isFull = () => {
    const isCanary = chunk.chunk_no === 0 && partNo === 0;
    const limit = isCanary ? CANARY_LINES : context.config.partLines;
    return builder.lineCount >= limit || builder.rawBytes >= PART_BYTES;
  };
  const flush = async () => {
    if (builder.lineCount === 0) return;
    signal.throwIfAborted();
    await registerPart(context, { fence, chunk, partNo, part: builder.build(), source: plan.recipe.source.source });
    nextLine += builder.lineCount;
    partNo += 1;
    builder = new PartBuilder(chunk.batch_id, chunk.source_file, nextLine);
  };

  const text = await openChunk(context, chunk, signal);
  const limits = { firstLine: chunk.first_line, maxLineBytes: plan.recipe.limits.maxLineBytes };
  for await (const lines of splitLines(text, limits)) {
    for (const line of lines) {
      // Lines of parts that were registered before a crash are only counted past.
      if (line.lineNo < nextLine) continue;
      builder.add(line, transform(line));
      if (isFull()) await flush();
    }
  }
  await flush();
  const read = nextLine - chunk.first_line;
  if (read !== chunk.line_count) {
    throw new FatalError(
      `${chunk.source_file}: ${chunk.line_count} lines were planned from line ${chunk.first_line} on, and ${read} read`,
    );
  }
}

/**
 * Transforms one chunk of the mirror into import parts, as a stream: memory does not grow with the file. Each part is
 * committed on its own, so a crash costs at most the part at hand.
 */
export async function transformChunk(context: TransformerContext, job: ChunkJob, signal: AbortSignal): Promise<void> {
  const work = await loadChunk(context, job);
  if (work.chunk.state === 'open') {
    await withFenceWatch(context.pool, work.fence, signal, (watched) => transformLines(context, work, watched));
    await withTransaction(context.pool, ACTOR, async (client) => {
      await enterBatchFence(client, job.batch_id, STATUSES, work.fence.epoch);
      await markChunkDone(client, job.chunk_id);
    });
    context.logger.info(
      { batch: job.batch_id, chunk: job.chunk_id, lines: work.chunk.line_count },
      'chunk transformed',
    );
  }
  await advanceBatch(context.pool, job.batch_id, ACTOR);
}
