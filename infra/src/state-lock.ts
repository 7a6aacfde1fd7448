import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isSameProcess, processIdentity } from './processes.ts';

/** Another stack works on this state directory. */
export class StateInUseError extends Error {
  override readonly name = 'StateInUseError';
  readonly pid: number;

  constructor(stateDir: string, pid: number) {
    super(`The state directory ${stateDir} is in use by process ${pid}. Stop it first, or choose another --state-dir.`);
    this.pid = pid;
  }
}

/** The process that holds the lock, or undefined when nobody does (its process may have died). */
export function lockHolder(lockFile: string): number | undefined {
  const held = readLock(lockFile);
  return held !== undefined && isSameProcess(held.pid, held.identity) ? held.pid : undefined;
}

/**
 * Takes the lock for this process; returns the function that gives it back.
 * Throws StateInUseError when a living process holds it. The lock of a dead one is taken over.
 */
export function takeLock(lockFile: string, stateDir: string): () => void {
  const identity = processIdentity(process.pid);
  const draft = `${lockFile}.${process.pid}`;
  writeFileSync(draft, `${process.pid} ${identity}\n`, { mode: 0o600 });
  try {
    // A link appears with its content, and fails when the name is taken.
    while (!tryLink(draft, lockFile)) {
      const holder = lockHolder(lockFile);
      if (holder !== undefined) throw new StateInUseError(stateDir, holder);
      removeDeadLock(lockFile);
    }
  } finally {
    rmSync(draft, { force: true });
  }
  return () => {
    if (readLock(lockFile)?.pid === process.pid) rmSync(lockFile, { force: true });
  };
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Moves the dead lock aside and looks again: another start may have replaced it meanwhile. */
function removeDeadLock(lockFile: string): void {
  const aside = `${lockFile}.${process.pid}.dead`;
  try {
    renameSync(lockFile, aside);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
    throw error;
  }
  if (lockHolder(aside) !== undefined) tryLink(aside, lockFile);
  rmSync(aside, { force: true });
}

function readLock(lockFile: string): { pid: number; identity: string } | undefined {
  try {
    const [, pid, identity] = /^(\d+) (.+)$/m.exec(readFileSync(lockFile, 'utf8')) ?? [];
    return pid === undefined || identity === undefined ? undefined : { pid: Number(pid), identity };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
