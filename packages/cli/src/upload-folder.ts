import { createReadStream } from 'node:fs';
import { isDependencyUnavailable } from '@backfill/core/errors';
import { findPersonalNames } from '@backfill/core/recipe/detectors/personal-name';
import type { ObjectStore } from '@backfill/core/storage/object-store';
import { CliError } from './cli-error.ts';
import type { LocalFile } from './local-files.ts';

export interface UploadTarget {
  store: ObjectStore;
  bucket: string;
  /** With a slash at its end. */
  prefix: string;
  /** For messages. */
  endpoint: string;
}

/**
 * Uploads files under a prefix. After an upload that broke off it is simply done again; a prefix
 * that holds anything else is refused, because the batch would read that as well.
 *
 * @throws {CliError} when a name shows personal data, the prefix holds other objects, or the object store does not answer.
 */
export async function uploadFiles(
  files: readonly LocalFile[],
  target: UploadTarget,
  signal: AbortSignal,
): Promise<void> {
  const { store, bucket, prefix } = target;
  refusePersonalNames(files);
  try {
    await refuseOtherObjects(files, target);
    for (const { file, key } of files) {
      signal.throwIfAborted();
      await store.putStream(bucket, `${prefix}${key}`, createReadStream(file), signal);
    }
  } catch (error) {
    if (!isDependencyUnavailable(error)) throw error;
    const message = `The object store at ${target.endpoint} does not answer.`;
    throw new CliError(message, ['Start the stack: npm start'], { cause: error });
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
