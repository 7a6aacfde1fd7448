import type { KeyObject } from 'node:crypto';
import type { StorageConfig } from '../config/environment.ts';
import { loadConfigDir } from '../config/load-config.ts';
import type { Client } from '../db/pool.ts';
import { type BatchRow, getBatch } from '../db/queries/batch-get.ts';
import type { Chunk } from '../db/queries/chunk-get.ts';
import { listChunks } from '../db/queries/chunk-list.ts';
import { type BatchFile, listFiles } from '../db/queries/file-list.ts';
import { listKeyChecks } from '../db/queries/key-check-list.ts';
import { getPlan } from '../db/queries/plan-get.ts';
import type { PlannedChunk, PlannedFile } from '../db/queries/plan-seal.ts';
import { FatalError } from '../errors.ts';
import { retentionCutoffs, retentionExceptionOf } from '../plan/retention.ts';
import { pinRecipeKeys } from '../recipe/key-ring.ts';
import { buildRecipe, type Recipe } from '../recipe/recipe.ts';
import { archiveLayout, parseS3Prefix } from '../storage/layout.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { formatHints, pinInput } from './pin-input.ts';
import type { ChunkObject } from './read-chunk.ts';

/** What a transform outside of the services works with. */
export interface TransformTools {
  /** A session of its own, which is made read-only. */
  db: Client;
  store: ObjectStore;
  storage: StorageConfig;
  configDir: string;
  /** `analytics_salt` by key version. */
  keys: ReadonlyMap<number, KeyObject>;
  signal: AbortSignal;
}

/** A chunk as it is planned, in the ledger or not. */
export type WorkChunk = Omit<Chunk, 'state' | 'epoch'>;

/** Lines to transform, and the recipe for them. */
export interface TransformWork {
  recipe: Recipe;
  chunks: WorkChunk[];
  /** The object that holds a chunk's file. */
  objectOf(chunk: WorkChunk): ChunkObject;
}

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

function sourcePlace(input: string): { bucket: string; prefix: string } {
  const place = parseS3Prefix(input);
  if (place === undefined) throw new FatalError(`${input} is not of the form s3://bucket/prefix/`);
  return place;
}

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
      throw new FatalError(
        `analytics_salt has another key version ${version} than the stored pseudonyms were made with`,
      );
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
  const { files, chunks } = await pinInput(store, {
    ...{ bucket, prefix, signal },
    ...formatHints(recipe),
    chunkBytes: CHUNK_BYTES,
    oldestAllowed: oldestObject,
  });
  const fileOf = (fileNo: number): PlannedFile => {
    const file = files[fileNo];
    if (file === undefined) throw new FatalError(`${raw.input}: there is no file ${fileNo}`);
    return file;
  };
  return {
    recipe,
    chunks: chunks.map((chunk, index) => toWorkChunk(batchId, chunk, fileOf(chunk.fileNo), index)),
    objectOf: ({ file_no, source_file }) => ({ bucket, key: prefix + source_file, ifMatch: fileOf(file_no).etag }),
  };
}

function toWorkChunk(batchId: string, chunk: PlannedChunk, file: PlannedFile, chunkNo: number): WorkChunk {
  const { sourceFile, compression, format, header } = file;
  return {
    ...{ chunk_id: 0, batch_id: batchId, chunk_no: chunkNo, file_no: chunk.fileNo },
    ...{ source_file: sourceFile, compression, format, header },
    ...{ byte_start: chunk.byteStart, byte_end: chunk.byteEnd },
    ...{ first_line: chunk.firstLine, line_count: chunk.lineCount },
  };
}

/** A batch with the plan in force, if there is one. */
export interface PlannedBatch {
  batch: BatchRow;
  files: BatchFile[];
  /** True when every file stands in the archive. */
  isMirrored: boolean;
  /** Undefined before the batch is planned. */
  work: TransformWork | undefined;
}

/**
 * Loads a batch and its ledger: the mirror's objects if the mirror is whole, else the input's, under their pinned ETags.
 *
 * @throws {FatalError} when there is no such batch.
 */
export async function loadBatch({ db, storage }: TransformTools, batchId: string): Promise<PlannedBatch> {
  const batch = await getBatch(db, batchId);
  if (batch === undefined) throw new FatalError(`there is no batch ${batchId}: submit it first`);
  const plan = await getPlan(db, batchId);
  const files = await listFiles(db, batchId);
  const isMirrored = files.length > 0 && files.every((file) => file.mirrored_at !== null);
  if (plan === undefined) return { batch, files, isMirrored, work: undefined };
  const { bucket, prefix } = sourcePlace(batch.input);
  const etags = new Map(files.map((file) => [file.file_no, file.etag]));
  const objectOf = ({ file_no, source_file }: WorkChunk): ChunkObject =>
    isMirrored
      ? { bucket: storage.archiveBucket, key: archiveLayout.mirrorObject(batchId, source_file) }
      : { bucket, key: prefix + source_file, ifMatch: etags.get(file_no) ?? '' };
  return { batch, files, isMirrored, work: { recipe: plan.recipe, chunks: await listChunks(db, batchId), objectOf } };
}
