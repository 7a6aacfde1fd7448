import { readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { isSameProcess, processIdentity, type StopStep, stopProcess } from './processes.ts';
import { writePrivateFile } from './state-dir.ts';

/** A process that belongs to a state directory, and how it is stopped by somebody else. */
export interface PidRecord {
  name: string;
  pid: number;
  /** See processIdentity: tells the process from a later one with the same number. */
  identity: string;
  stop: StopStep[];
}

/** The servers in the order they are stopped, after everything that uses them. */
const STOPPED_LAST = ['s3', 'redis', 'postgres'];

/** Notes that a process belongs to this state. One that has ended already is not noted. */
export function recordPid(runDir: string, name: string, pid: number, stop: StopStep[]): void {
  const identity = processIdentity(pid);
  if (identity === undefined) return;
  const record: PidRecord = { name, pid, identity, stop };
  writePrivateFile(recordFile(runDir, name), JSON.stringify(record));
}

/** Forgets a process that ended. */
export function forgetPid(runDir: string, name: string): void {
  rmSync(recordFile(runDir, name), { force: true });
}

/** What is on record and still runs. A number that another process has by now does not count. */
export function runningRecords(runDir: string): PidRecord[] {
  return readdirSync(runDir)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(path.join(runDir, name), 'utf8')) as PidRecord)
    .filter((record) => isSameProcess(record.pid, record.identity));
}

/** Stops processes that are not our children: services at once, then the servers one by one. */
export async function stopRecorded(records: readonly PidRecord[]): Promise<void> {
  const users = records.filter((record) => !STOPPED_LAST.includes(record.name));
  await Promise.all(users.map((record) => stopProcess(record.pid, record.stop)));
  for (const name of STOPPED_LAST) {
    for (const record of records) {
      if (record.name === name) await stopProcess(record.pid, record.stop);
    }
  }
}

/**
 * Stops what an earlier supervisor left running because it was killed, and clears the records.
 * Only for the holder of the state's lock. Returns the names of what was still running.
 */
export async function stopLeftovers(runDir: string): Promise<string[]> {
  const running = runningRecords(runDir);
  await stopRecorded(running);
  for (const file of readdirSync(runDir)) rmSync(path.join(runDir, file), { force: true });
  return running.map((record) => record.name);
}

function recordFile(runDir: string, name: string): string {
  return path.join(runDir, `${name}.json`);
}
