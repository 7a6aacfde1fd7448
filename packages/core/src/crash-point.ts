/** Moments at which a process can be made to die, each named after the work and what has just been done. */
type CrashPoint = `${string}:${string}`;

/**
 * For tests only: dies here and now, as from a power cut, when the environment variable BACKFILL_CRASH_AT names this
 * point. Costs nothing otherwise.
 */
export function crashPoint(name: CrashPoint): void {
  if (process.env.BACKFILL_CRASH_AT === name) process.kill(process.pid, 'SIGKILL');
}
