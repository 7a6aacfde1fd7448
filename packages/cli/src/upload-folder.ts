import { createReadStream, type Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { isDependencyUnavailable } from '@backfill/core/errors';
import { findPersonalNames } from '@backfill/core/recipe/detectors/personal-name';
import type { ObjectStore } from '@backfill/core/storage/object-store';
import { CliError } from './cli-error.ts';
import { type LocalFile, unreadable } from './local-files.ts';

export interface UploadTarget {
  store: ObjectStore;
  bucket: string;
  /** With a slash at its end. */
  prefix: string;
  /** For messages. */
  endpoint: string;
}

/** Small files wait for answers most of the time. */
const UPLOADS_AT_ONCE = 4;

/**
 * Uploads files under a prefix. After an upload that broke off it is simply done again; a prefix
 * that holds anything else is refused, because the batch would read that as well.
 *
 * @param onUploaded called after each file
 * @throws {CliError} when a name shows personal data, the prefix holds other objects, a file cannot be read or changes
 *   meanwhile, or the object store does not answer.
 */
export async function uploadFiles(
  files: readonly LocalFile[],
  target: UploadTarget,
  signal: AbortSignal,
  onUploaded: (file: LocalFile) => void = () => undefined,
): Promise<void> {
  refusePersonalNames(files);
  const failed = new AbortController();
  const joined = AbortSignal.any([signal, failed.signal]);
  const left = files.values();
  const uploadSome = async () => {
    for (const file of left) {
      joined.throwIfAborted();
      await uploadFile(file, target, joined);
      onUploaded(file);
    }
  };
  try {
    await refuseOtherObjects(files, target);
    await Promise.all(Array.from({ length: UPLOADS_AT_ONCE }, uploadSome));
  } catch (error) {
    if (!isDependencyUnavailable(error)) throw error;
    const message = `The object store at ${target.endpoint} does not answer.`;
    throw new CliError(message, ['Start the stack: npm start'], { cause: error });
  } finally {
    failed.abort();
  }
}

/** @throws {CliError} when the file cannot be read, or is another one afterwards. */
async function uploadFile({ file, key }: LocalFile, target: UploadTarget, signal: AbortSignal): Promise<void> {
  const { store, bucket, prefix } = target;
  const before = await look(file, key);
  const stream = createReadStream(file);
  let readError: unknown;
  stream.once('error', (error) => {
    readError = error;
  });
  try {
    await store.putStream(bucket, `${prefix}${key}`, stream, signal);
  } catch (error) {
    throw readError === undefined ? error : unreadable(key, readError);
  } finally {
    stream.destroy();
  }
  const after = await look(file, key);
  if (after.size !== before.size || after.mtimeMs !== before.mtimeMs || after.ino !== before.ino) {
    throw new CliError(`${key} changed while it was uploaded.`, [
      'Run this again when nothing writes into the folder any more, or upload a copy of it. Nothing was submitted.',
    ]);
  }
}

async function look(file: string, key: string): Promise<Stats> {
  try {
    return await stat(file);
  } catch (error) {
    throw unreadable(key, error);
  }
}

/** The plan would refuse them too, but by then they stand in the bucket. */
function refusePersonalNames(files: readonly LocalFile[]): void {
  const found = findPersonalNames(files.map(({ key }) => key));
  if (found === undefined) return;
  throw new CliError(
    `The names of ${found.count} of the ${files.length} files look like personal data, and names are stored with every ` +
      `line. In the order of their paths: ${found.places}.`,
    ['Give them other names, then run this again.'],
  );
}

async function refuseOtherObjects(files: readonly LocalFile[], target: UploadTarget): Promise<void> {
  const { store, bucket, prefix } = target;
  const ours = new Set(files.map(({ key }) => `${prefix}${key}`));
  for await (const { key } of store.list(bucket, prefix)) {
    if (ours.has(key)) continue;
    throw new CliError(`s3://${bucket}/${prefix} holds other files already, such as ${key}.`, [
      'Choose another name with --batch-id.',
    ]);
  }
}
