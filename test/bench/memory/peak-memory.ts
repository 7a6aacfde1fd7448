import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const SAMPLE_MS = 100;

/** Watches the resident memory of another process. */
export interface MemoryWatch {
  /** The most so far, in bytes. */
  peak(): number;
  stop(): void;
}

/** Linux keeps the highest value itself, from the process's start on, so nothing is missed. */
function readHighWaterMark(pid: number): number {
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) * 1024;
}

function readResident(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) * 1024;
}

/** Begins to watch a process; elsewhere than on Linux by sampling. */
export function watchMemory(pid: number): MemoryWatch {
  if (process.platform === 'linux') return { peak: () => readHighWaterMark(pid), stop: () => undefined };
  let peak = readResident(pid);
  const timer = setInterval(() => {
    peak = Math.max(peak, readResident(pid));
  }, SAMPLE_MS);
  return { peak: () => peak, stop: () => clearInterval(timer) };
}
