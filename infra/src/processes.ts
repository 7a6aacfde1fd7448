import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A signal to send, and how long to wait for its effect before the next one, in milliseconds. */
export interface StopStep {
  signal: NodeJS.Signals;
  graceMs: number;
}

const POLL_MS = 50;

/**
 * Something that is the same as long as a process lives and different for the next process that
 * gets its number: the start time. Undefined when no such process runs (a zombie does not run).
 */
export function processIdentity(pid: number): string | undefined {
  return process.platform === 'linux' ? linuxIdentity(pid) : psIdentity(pid);
}

/** True while the process that had this identity runs. */
export function isSameProcess(pid: number, identity: string): boolean {
  return processIdentity(pid) === identity;
}

/** True when the command line or the working directory of a process mentions the directory. */
export function processMentions(pid: number, directory: string): boolean {
  if (process.platform !== 'linux') return ps(pid, 'args=')?.includes(directory) ?? false;
  const args = unlessGone(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
  if (args?.includes(directory)) return true;
  const cwd = unlessGone(() => readlinkSync(`/proc/${pid}/cwd`));
  return cwd !== undefined && (cwd === directory || cwd.startsWith(`${directory}/`));
}

/**
 * Stops a process that is not our child: sends each signal in turn until it is gone.
 * Throws when it outlives the last step.
 */
export async function stopProcess(pid: number, steps: readonly StopStep[]): Promise<void> {
  const identity = processIdentity(pid);
  if (identity === undefined) return;
  for (const { signal, graceMs } of steps) {
    signalProcess(pid, signal);
    const deadline = Date.now() + graceMs;
    while (Date.now() < deadline) {
      if (!isSameProcess(pid, identity)) return;
      await sleep(POLL_MS);
    }
  }
  if (isSameProcess(pid, identity)) throw new Error(`process ${pid} does not stop`);
}

/** Sends a signal; false when the process is gone already. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  return unlessGone(() => process.kill(pid, signal)) ?? false;
}

function linuxIdentity(pid: number): string | undefined {
  const stat = unlessGone(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  if (stat === undefined) return undefined;
  // The second field is the program's name in brackets and may hold anything, brackets too.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state] = fields;
  const startTime = fields[19];
  if (state === 'Z' || state === 'X' || startTime === undefined) return undefined;
  return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${startTime}`;
}

function psIdentity(pid: number): string | undefined {
  const [state, ...start] = ps(pid, 'stat=,lstart=')?.split(/\s+/) ?? [];
  return state === undefined || state.startsWith('Z') ? undefined : start.join(' ');
}

function ps(pid: number, format: string): string | undefined {
  try {
    const args = ['-ww', '-o', format, '-p', String(pid)];
    return execFileSync('ps', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch (error) {
    // ps exits with 1 when it finds no such process.
    if (error instanceof Error && 'status' in error && error.status === 1) return undefined;
    throw error;
  }
}

function unlessGone<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES') return undefined;
    throw error;
  }
}
