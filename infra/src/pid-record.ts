import { readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { isSameProcess, processIdentity, type StopStep, stopProcess } from './processes.ts';
import { writePrivateFile } from './state-dir.ts';

interface PidRecord {
  pid: number;
  identity: string;
  stop: StopStep[];
}

/** Notes that a process belongs to this state, and how it is stopped if we cannot do it ourselves. */
export function recordPid(runDir: string, name: string, pid: number, stop: StopStep[]): void {
  const identity = processIdentity(pid);
  if (identity === undefined) return;
  const record: PidRecord = { pid, identity, stop };
  writePrivateFile(path.join(runDir, `${name}.json`), JSON.stringify(record));
}

/** Forgets a process that ended. */
export function forgetPid(runDir: string, name: string): void {
  rmSync(path.join(runDir, `${name}.json`), { force: true });
}

/**
 * Stops what an earlier supervisor left running because it was killed. A number that belongs to
 * another process by now is left alone. Returns the names of what was still running.
 */
export async function stopLeftovers(runDir: string): Promise<string[]> {
  const running: string[] = [];
  for (const file of readdirSync(runDir).filter((name) => name.endsWith('.json'))) {
    const full = path.join(runDir, file);
    const record = JSON.parse(readFileSync(full, 'utf8')) as PidRecord;
    if (isSameProcess(record.pid, record.identity)) {
      running.push(path.basename(file, '.json'));
      await stopProcess(record.pid, record.stop);
    }
    rmSync(full, { force: true });
  }
  return running;
}
