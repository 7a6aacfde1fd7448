import type { FileCopyPin, PlannedFile } from '../db/queries/plan-seal.ts';
import { COPY_FORMAT } from '../domain/format-name.ts';
import { FatalError } from '../errors.ts';
import { createRecordScanner } from '../formats/formats.ts';
import type { KeyRing } from '../recipe/key-ring.ts';
import type { Recipe } from '../recipe/recipe.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { ChunkScanner, type LineRange } from './chunk-scanner.ts';
import { compilePinnedCleaner } from './compile-pinned-recipe.ts';
import { copyFile } from './copy-file.ts';
import type { PinnedInput } from './pin-input.ts';

export interface PinCopiesOptions {
  bucket: string;
  prefix: string;
  recipe: Recipe;
  keys: KeyRing;
  chunkBytes: number;
  signal: AbortSignal;
}

/**
 * Makes the pseudonymised copy of every pinned file, to learn its size, its sha256 and where to cut its chunks. Reads
 * the input once more and stores nothing: what was not approved yet must not be kept, in whatever form.
 *
 * @returns the input with the copies' measures, and the chunks of the copies in place of those of the files
 * @throws {FatalError} when an object changed since it was pinned, or a key is missing.
 */
export async function pinCopies(
  store: ObjectStore,
  { files }: PinnedInput,
  options: PinCopiesOptions,
): Promise<PinnedInput> {
  const pinned: PinnedInput = { files: [], chunks: [] };
  for (const file of files) {
    const { copy, ranges } = await scanCopy(store, file, options);
    pinned.files.push({ ...file, copy });
    for (const range of ranges) pinned.chunks.push({ fileNo: file.fileNo, ...range });
  }
  return pinned;
}

async function scanCopy(
  store: ObjectStore,
  file: PlannedFile,
  { bucket, prefix, recipe, keys, chunkBytes, signal }: PinCopiesOptions,
): Promise<{ copy: FileCopyPin; ranges: LineRange[] }> {
  const object = { bucket, key: prefix + file.sourceFile, ifMatch: file.etag, size: file.size };
  const clean = compilePinnedCleaner(recipe, { keys }, file);
  const { maxLineBytes } = recipe.limits;
  const { stream, measure } = await copyFile(store, object, file, clean, { maxLineBytes, signal });
  const records = createRecordScanner({ format: COPY_FORMAT, header: null }, { firstLine: 1, maxLineBytes: 0 });
  const scanner = new ChunkScanner(records, chunkBytes);
  for await (const block of stream) scanner.feed(block);
  const { lines } = scanner.finish();
  const { rawSha256, ...copy } = measure();
  if (rawSha256 !== file.sha256 || lines !== file.lineCount) {
    throw new FatalError(`s3://${bucket}/${object.key} was changed while it was planned: resume plans it anew`);
  }
  return { copy, ranges: scanner.ranges };
}
