import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { forgetPid, recordPid, runningRecords, stopLeftovers } from './pid-record.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'backfill-run-'));
afterAll(() => rmSync(folder, { recursive: true }));

const STOP = [{ signal: 'SIGTERM' as const, graceMs: 10_000 }];

function startSleeper() {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  return { pid: child.pid ?? 0, ended: once(child, 'exit') };
}

it('stops what is left over and spares a stranger with the same number', async () => {
  const leftover = startSleeper();
  const stranger = startSleeper();
  recordPid(folder, 'importer-1', leftover.pid, STOP);
  // What a process left behind whose number the stranger got later.
  const stale = { name: 'postgres', pid: stranger.pid, identity: 'an earlier boot/1', stop: STOP };
  writeFileSync(path.join(folder, 'postgres.json'), JSON.stringify(stale));
  expect(runningRecords(folder).map((record) => record.name)).toEqual(['importer-1']);

  expect(await stopLeftovers(folder)).toEqual(['importer-1']);
  expect(await leftover.ended).toEqual([null, 'SIGTERM']);
  expect(readdirSync(folder)).toEqual([]);
  process.kill(stranger.pid, 'SIGKILL');
  expect(await stranger.ended).toEqual([null, 'SIGKILL']);
});

it('forgets what ended', () => {
  recordPid(folder, 'redis', process.pid, STOP);
  forgetPid(folder, 'redis');
  expect(runningRecords(folder)).toEqual([]);
});
