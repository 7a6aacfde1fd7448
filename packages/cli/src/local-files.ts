import { constants, type Dirent, type Stats } from 'node:fs';
import { access, readdir, stat } from 'node:fs/promises';
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
 * All files below a folder in key order; a link to a file is a file. Hidden ones are left out: editors and file managers
 * put them there, not loggers. Nothing else is left out: a batch of less than the folder holds would look complete.
 *
 * @throws {CliError} when it is no folder, there is no file in it, or something in it cannot be uploaded as it is.
 */
export async function listLocalFiles(folder: string): Promise<LocalFile[]> {
  const root = path.resolve(folder);
  const files: LocalFile[] = [];
  const keyByInode = new Map<string, string>();
  for (const entry of await readFolder(root, folder)) {
    const file = path.join(entry.parentPath, entry.name);
    const key = path.relative(root, file).split(path.sep).join('/');
    if (entry.isDirectory() || key.split('/').some((part) => part.startsWith('.'))) continue;
    refuseStrangeName(key);
    const info = await statFile(file, key, entry);
    const inode = `${info.dev}:${info.ino}`;
    const other = keyByInode.get(inode);
    if (other !== undefined) {
      throw new CliError(`${other} and ${key} are one file: its lines would be read twice.`, [
        'Take one of them away.',
      ]);
    }
    keyByInode.set(inode, key);
    files.push({ file, key, size: info.size });
  }
  if (files.length === 0) throw new CliError(`There is no file in ${folder} (hidden ones do not count).`);
  return files.sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** Below what S3 allows (1,024 bytes), with room for the name of the batch and the system's own folders. */
const MAX_KEY_BYTES = 900;
const FIRST_PRINTABLE = 0x20;
const DELETE = 0x7f;

/** Names are stored with every line, and stand in listings that cannot hold each character. */
function refuseStrangeName(key: string): void {
  const isStrange = [...key].some((char) => {
    const code = char.codePointAt(0) ?? 0;
    // What is not UTF-8 was read as U+FFFD, and could not be opened by that name.
    return code < FIRST_PRINTABLE || code === DELETE || code === 0xfffd;
  });
  const shown = JSON.stringify(key);
  if (isStrange) {
    throw new CliError(`The name ${shown} has control characters in it, or is not UTF-8.`, [
      'Give the file another name.',
    ]);
  }
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) {
    throw new CliError(`The path ${shown} is longer than ${MAX_KEY_BYTES} bytes.`, ['Give it shorter names.']);
  }
}

async function statFile(file: string, key: string, entry: Dirent): Promise<Stats> {
  let info: Stats;
  try {
    info = await stat(file);
    await access(file, constants.R_OK);
  } catch (error) {
    const code = codeOf(error);
    if (entry.isSymbolicLink() && (code === 'ENOENT' || code === 'ELOOP')) {
      throw new CliError(`${key} is a link that leads nowhere.`, ['Mend it or take it away.'], { cause: error });
    }
    throw unreadable(key, error);
  }
  if (info.isFile()) return info;
  if (info.isDirectory()) {
    throw new CliError(`${key} is a link to a folder.`, [
      'Upload that folder by its own name, or put a copy of it in the place of the link.',
    ]);
  }
  throw new CliError(`${key} is no ordinary file.`, ['Take it away: only files can be uploaded.']);
}

/** For a person who named a file or folder that cannot be read. */
export function unreadable(name: string, error: unknown): CliError {
  return new CliError(`${name} cannot be read (${codeOf(error) ?? 'unknown reason'}).`, ['See that you may read it.'], {
    cause: error,
  });
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

async function readFolder(root: string, folder: string): Promise<Dirent[]> {
  try {
    return await readdir(root, { recursive: true, withFileTypes: true });
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') throw new CliError(`There is no folder ${folder}.`, [], { cause: error });
    if (code === 'ENOTDIR') {
      throw new CliError(`${folder} is not a folder. Put the raw logs of one batch into one.`, [], {
        cause: error,
      });
    }
    throw unreadable(error instanceof Error && 'path' in error ? String(error.path) : folder, error);
  }
}
