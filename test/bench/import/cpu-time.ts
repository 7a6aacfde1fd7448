import { readFileSync } from 'node:fs';

/** What Linux counts in on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Fields of /proc/PID/stat behind the name, which may hold anything. */
function readStat(pid: number): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

function readTicks(pid: number): { own: number; reaped: number } {
  const [user, system, childrenUser, childrenSystem] = readStat(pid).slice(11, 15).map(Number) as [
    number,
    number,
    number,
    number,
  ];
  return { own: user + system, reaped: childrenUser + childrenSystem };
}

function ticksOfChild(pid: number): number {
  try {
    return readTicks(pid).own;
  } catch {
    // It ended meanwhile, and its parent has or will have its time.
    return 0;
  }
}

/** Of this process alone. */
export function ownCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/**
 * Processor seconds of a process and its children, living and dead: the sessions of PostgreSQL are children of its
 * postmaster. NaN elsewhere than on Linux.
 */
export function cpuSeconds(pid: number): number {
  if (process.platform !== 'linux') return Number.NaN;
  const { own, reaped } = readTicks(pid);
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  return (own + reaped + children.reduce((sum, child) => sum + ticksOfChild(child), 0)) / TICKS_PER_SECOND;
}
