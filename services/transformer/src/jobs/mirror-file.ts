import type { Readable } from 'node:stream';
import type { BatchFile } from '@backfill/core/db/queries/file-list';
import { DeferError, FatalError } from '@backfill/core/errors';
import type { Plan } from '@backfill/core/plan/plan';
import type { PiiObserver } from '@backfill/core/recipe/pii-context';
import type { KeyedRuntime } from '@backfill/core/runtime/keyed-runtime';
import { hashedStream } from '@backfill/core/storage/hashed-stream';
import { archiveLayout } from '@backfill/core/storage/layout';
import { compilePinnedCleaner } from '@backfill/core/transform/compile-pinned-recipe';
import { copyFile } from '@backfill/core/transform/copy-file';
import type { ChunkObject } from '@backfill/core/transform/read-chunk';
import { sourcePlace } from '@backfill/core/transform/transform-work';

const TAKEN_DELAY_MS = 1_000;

/** Everything about one file of the plan that is to stand in the mirror. */
export interface FileToMirror {
  plan: Plan;
  file: BatchFile;
  signal: AbortSignal;
}

/**
 * Copies one pinned object byte for byte, and proves by sha256 that what was copied is what was planned.
 *
 * @throws {FatalError} when it is not.
 */
export async function mirrorBytes(context: KeyedRuntime, { plan, file, signal }: FileToMirror): Promise<void> {
  const { store } = context;
  const { bucket, key, ...pinned } = rawObject(plan, file);
  const original = hashedStream(await store.get(bucket, key, { ...pinned, signal }), signal);
  const mirrorKey = archiveLayout.mirrorObject(plan.batchId, file.source_file);
  try {
    await putOnce(context, mirrorKey, original.stream, signal);
  } finally {
    original.stream.destroy();
  }
  requireUnchanged(plan, file, original.sha256());
}

/**
 * Writes the pseudonymised copy of one pinned object, and proves by sha256 that the object and the copy are those that
 * were planned.
 *
 * @throws {FatalError} when one is not, or the keys or the privacy rules are others than the plan's.
 */
export async function mirrorCopy(
  context: KeyedRuntime,
  { plan, file, signal }: FileToMirror,
  observer: PiiObserver,
): Promise<void> {
  const { store, keys } = context;
  const { recipe } = plan;
  const clean = compilePinnedCleaner(recipe, { keys, observer }, file);
  const { maxLineBytes } = recipe.limits;
  const copy = await copyFile(store, rawObject(plan, file), file, clean, { maxLineBytes, signal });
  const mirrorKey = archiveLayout.mirrorObject(plan.batchId, file.source_file);
  try {
    await putOnce(context, mirrorKey, copy.stream, signal);
  } finally {
    copy.stream.destroy();
  }
  const { rawSha256, sha256 } = copy.measure();
  requireUnchanged(plan, file, rawSha256);
  if (sha256 === file.copy_sha256) return;
  throw new FatalError(
    `the pseudonymised copy of ${plan.input}${file.source_file} has the sha256 ${sha256} and was planned with ` +
      `${file.copy_sha256}: this version makes other copies than the one that planned. Roll the batch back and resume it, ` +
      'which makes a new plan',
  );
}

/**
 * Writes an object of the mirror if there is none. A process that was frozen while it wrote must not put people back who
 * were forgotten in what stands there by now.
 *
 * @throws {DeferError} when somebody else has written it meanwhile; the ledger says what it is
 */
async function putOnce(
  { store, config }: KeyedRuntime,
  key: string,
  body: Readable,
  signal: AbortSignal,
): Promise<void> {
  if (await store.putStreamOnce(config.storage.archiveBucket, key, body, signal)) return;
  throw new DeferError('an object of the mirror was written by another worker', TAKEN_DELAY_MS);
}

function rawObject(plan: Plan, file: BatchFile): ChunkObject & { ifMatch: string; size: number } {
  const { bucket, prefix } = sourcePlace(plan.input);
  return { bucket, key: prefix + file.source_file, ifMatch: file.etag, size: file.size };
}

function requireUnchanged(plan: Plan, file: BatchFile, sha256: string): void {
  if (sha256 === file.sha256) return;
  throw new FatalError(
    `${plan.input}${file.source_file} was changed since it was planned: its sha256 was ${file.sha256} and is now ${sha256}. ` +
      'Resume plans the batch anew, and it needs its approvals again',
  );
}
