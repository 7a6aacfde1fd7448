import { loadConfigDir } from '../config/load-config.ts';
import { listKeyChecks } from '../db/queries/key-check-list.ts';
import { listSessionOccurrences } from '../db/queries/occurrences.ts';
import { FatalError } from '../errors.ts';
import { retentionCutoffs, retentionExceptionOf } from '../plan/retention.ts';
import { otherKeyMessage, pinRecipeKeys } from '../recipe/key-ring.ts';
import { buildRecipe, countsOccurrences, type Recipe } from '../recipe/recipe.ts';
import { numberLines } from './number-lines.ts';
import { numberOccurrences } from './number-occurrences.ts';
import { formatHints, pinInput } from './pin-input.ts';
import { inputWork, sourcePlace, type TransformTools, type TransformWork } from './transform-work.ts';

/** Raw input that is not, or not yet, a planned batch's. */
export interface RawInput {
  /** `s3://bucket/prefix/` */
  input: string;
  source: string;
  window: { startMs: number; endMs: number };
  /** The submission's, for its retention exception. */
  request: Record<string, unknown>;
}

/** Chunks only matter for memory here: nothing is committed per chunk. */
const CHUNK_BYTES = 64 * 1024 * 1024;

async function recipeOf(tools: TransformTools, raw: RawInput): Promise<{ recipe: Recipe; oldestObject: Date | null }> {
  const config = await loadConfigDir(tools.configDir);
  if (!config.sources.has(raw.source)) {
    throw new FatalError(`there is no source ${raw.source}; there are: ${[...config.sources.keys()].join(', ')}`);
  }
  const nowMs = Date.now();
  const cutoffs = retentionCutoffs(config.policy.retention, retentionExceptionOf(raw.request, nowMs), nowMs);
  const options = {
    windowStartMs: raw.window.startMs,
    windowEndMs: raw.window.endMs,
    retentionCutoffMs: cutoffs.eventsMs,
  };
  try {
    const keys = pinRecipeKeys(config.policy, tools.keys, { ...options, nowMs });
    const known = await listKeyChecks(tools.db);
    for (const [version, check] of Object.entries(keys.checks)) {
      if ((known.get(Number(version)) ?? check) === check) continue;
      throw new FatalError(otherKeyMessage(version));
    }
    return { recipe: buildRecipe(config, raw.source, { ...options, keys }), oldestObject: cutoffs.objects };
  } catch (error) {
    if (error instanceof RangeError) throw new FatalError(error.message);
    throw error;
  }
}

/**
 * Reads raw input once to see where its lines are, and makes a recipe from the configuration as it is now. Nothing is
 * stored.
 *
 * @throws {FatalError} as a plan would fail: no such source, nothing to read, too old, damaged, without its key.
 */
export async function planRawInput(tools: TransformTools, raw: RawInput, batchId: string): Promise<TransformWork> {
  const { bucket, prefix } = sourcePlace(raw.input);
  const { recipe, oldestObject } = await recipeOf(tools, raw);
  const { store, signal } = tools;
  const input = await pinInput(store, {
    ...{ bucket, prefix, signal },
    ...formatHints(recipe),
    chunkBytes: CHUNK_BYTES,
    oldestAllowed: oldestObject,
  });
  const work = inputWork(tools, { batchId, recipe, bucket, prefix, input });
  if (!countsOccurrences(recipe)) return work;
  await numberOccurrences(tools.db, work, tools);
  return {
    ...work,
    readLines: (chunk) =>
      numberLines(work.readLines(chunk), (lines) => listSessionOccurrences(tools.db, chunk.file_no, lines)),
  };
}
