import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { manageProcess, type ProcessSpec, startAll } from './managed-process.ts';
import { runningRecords } from './pid-record.ts';
import { processIdentity } from './processes.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'backfill-managed-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A child that runs a script; it is ready when it has written its mark. */
function prepare(name: string, script: string, changes: Partial<ProcessSpec> = {}) {
  const mark = path.join(folder, `${name}.mark`);
  const up = `require('node:fs').writeFileSync(${JSON.stringify(mark)}, String(process.pid));setInterval(() => {}, 1000);`;
  const lines: string[] = [];
  const spec: ProcessSpec = {
    name,
    command: process.execPath,
    args: ['-e', script.replace('UP', up)],
    env: process.env,
    ipc: false,
    logFile: path.join(folder, `${name}.log`),
    runDir: folder,
    notReady: async () => (existsSync(mark) ? undefined : 'no mark yet'),
    readyTimeoutMs: 30_000,
    stop: [{ signal: 'SIGTERM', graceMs: 30_000 }],
    ...changes,
  };
  return { child: manageProcess(spec, (line) => lines.push(line)), mark, lines };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}

it('starts, keeps a record, and stops', async () => {
  const { child } = prepare('plain', 'UP');
  await child.start();
  const pid = child.pid() ?? 0;
  expect(runningRecords(folder)).toMatchObject([{ name: 'plain', pid }]);
  await child.stop();
  expect(child.pid()).toBeUndefined();
  expect(processIdentity(pid)).toBeUndefined();
  expect(runningRecords(folder)).toEqual([]);
});

it('is started again after a kill, and not after a stop', async () => {
  const { child, mark, lines } = prepare('killed', 'UP');
  await child.start();
  const first = child.pid() ?? 0;
  rmSync(mark);
  process.kill(first, 'SIGKILL');
  await until(() => lines.includes('killed is up again'));
  expect(lines[0]).toMatch(/^killed ended \(SIGKILL\), starting it again in 1 s/);
  const second = child.pid() ?? 0;
  expect(second).not.toBe(first);
  expect(readFileSync(mark, 'utf8')).toBe(String(second));
  await child.stop();
  expect(processIdentity(second)).toBeUndefined();
});

it('shows the end of the log when the start fails', async () => {
  const { child } = prepare('broken', "console.error('the port is taken'); process.exit(3)");
  await expect(child.start()).rejects.toThrow(/broken did not start: .*exit code 3[\s\S]*the port is taken/);
  await child.stop();
});

it('says why a start failed without a process', async () => {
  const { child } = prepare('missing', '', { command: path.join(folder, 'no-such-program') });
  await expect(child.start()).rejects.toThrow(/missing did not start: .*ENOENT/);
  await child.stop();
});

it('gives up a start that is not wanted any more, and leaves nothing', async () => {
  const { child } = prepare('slow', 'setInterval(() => {}, 1000)');
  const abort = new AbortController();
  const started = startAll([child], abort.signal);
  await until(() => child.pid() !== undefined);
  const pid = child.pid() ?? 0;
  abort.abort();
  await expect(started).rejects.toThrow('slow was stopped while it started');
  await child.stop();
  expect(processIdentity(pid)).toBeUndefined();
});

it('takes a stop by force from a child that ignores it', async () => {
  const { child } = prepare('stubborn', "process.on('SIGTERM', () => {});UP", {
    stop: [{ signal: 'SIGTERM', graceMs: 100 }],
  });
  await child.start();
  const pid = child.pid() ?? 0;
  await child.stop();
  expect(processIdentity(pid)).toBeUndefined();
});

it('stops children started over a leftover log', async () => {
  writeFileSync(path.join(folder, 'again.log'), 'of last time\n');
  const { child } = prepare('again', 'UP');
  await child.start();
  await child.stop();
  expect(readFileSync(child.logFile, 'utf8')).toMatch(/^of last time\n/);
});
