import { rmSync } from 'node:fs';
import path from 'node:path';

/** Moments at which a process can be made to die, each named after the work and what has just been done. */
type CrashPoint = `${string}:${string}`;

/** Takes a file away: of several processes that try, at most one gets true. */
function takeFile(file: string): boolean {
  try {
    rmSync(file);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}

/**
 * For tests only: dies here and now, as from a power cut, when the environment variable BACKFILL_CRASH_AT names this
 * point. It may also name a folder, by its absolute path: who comes to a point of which there is a file takes the file
 * away and dies. Costs nothing otherwise.
 */
export function crashPoint(name: CrashPoint): void {
  const { BACKFILL_CRASH_AT: at } = process.env;
  if (at === undefined) return;
  if (at === name || (path.isAbsolute(at) && takeFile(path.join(at, name)))) process.kill(process.pid, 'SIGKILL');
}
