import { writeSync } from 'node:fs';

/** Moments at which a process can be made to die, each named after the work and what has just been done. */
type CrashPoint = `${string}:${string}`;

/**
 * For tests only: dies here and now, as from a power cut, when the environment variable BACKFILL_CRASH_AT names this
 * point (it may name several, with commas between), and tells on standard error which it was. Costs nothing otherwise.
 */
export function crashPoint(name: CrashPoint): void {
  const { BACKFILL_CRASH_AT: armed } = process.env;
  if (armed === undefined || !armed.split(',').includes(name)) return;
  writeSync(process.stderr.fd, `dies at ${name}\n`);
  process.kill(process.pid, 'SIGKILL');
}
