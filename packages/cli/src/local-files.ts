import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { CliError } from './cli-error.ts';

/** A file to upload. */
export interface LocalFile {
  /** Absolute. */
  file: string;
  /** Path below the folder, with slashes: the object's key below the batch's prefix. */
  key: string;
  /** In bytes. */
  size: number;
}

/**
 * All files below a folder in key order, links followed. Hidden ones are left out: editors and
 * file managers put them there, not loggers.
 *
 * @throws {CliError} when it is no folder, or there is no file in it.
 */
export async function listLocalFiles(folder: string): Promise<LocalFile[]> {
  const root = path.resolve(folder);
  const names = await readFolder(root, folder);
  const files: LocalFile[] = [];
  for (const name of names) {
    const key = name.split(path.sep).join('/');
    if (key.split('/').some((part) => part.startsWith('.'))) continue;
    const file = path.join(root, name);
    const info = await stat(file);
    if (info.isFile()) files.push({ file, key, size: info.size });
  }
  if (files.length === 0) throw new CliError(`There is no file in ${folder}.`);
  return files.sort((a, b) => (a.key < b.key ? -1 : 1));
}

async function readFolder(root: string, folder: string): Promise<string[]> {
  try {
    return await readdir(root, { recursive: true });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') throw new CliError(`There is no folder ${folder}.`, [], { cause: error });
    if (code === 'ENOTDIR') {
      throw new CliError(`${folder} is not a folder. Put the raw logs of one batch into one.`, [], {
        cause: error,
      });
    }
    throw error;
  }
}
