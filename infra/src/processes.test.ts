import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';
import { isSameProcess, processIdentity, processMentions, stopProcess } from './processes.ts';

async function startSleeper(script: string, ...args: string[]) {
  const child = spawn(process.execPath, ['-e', `${script}; setInterval(() => {}, 1000); console.log('up')`, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: tmpdir(),
  });
  await once(child.stdout, 'data');
  return { child, pid: child.pid ?? 0, ended: once(child, 'exit') };
}

it('tells a living process from a dead one and from a later one', async () => {
  const { child, pid, ended } = await startSleeper('');
  const identity = processIdentity(pid) ?? '';
  expect(identity).not.toBe('');
  expect(isSameProcess(pid, identity)).toBe(true);
  expect(isSameProcess(process.pid, identity)).toBe(false);
  child.kill('SIGKILL');
  await ended;
  expect(processIdentity(pid)).toBeUndefined();
  expect(isSameProcess(pid, identity)).toBe(false);
});

it('knows a process by the directory in its arguments', async () => {
  const { child, pid, ended } = await startSleeper('', '--', '/some/state-dir');
  expect(processMentions(pid, '/some/state-dir')).toBe(true);
  expect(processMentions(pid, '/another/state-dir')).toBe(false);
  child.kill('SIGKILL');
  await ended;
  expect(processMentions(pid, '/some/state-dir')).toBe(false);
});

it('goes on to the next signal when one is ignored', async () => {
  const { pid, ended } = await startSleeper("process.on('SIGTERM', () => {})");
  await stopProcess(pid, [
    { signal: 'SIGTERM', graceMs: 100 },
    { signal: 'SIGKILL', graceMs: 10_000 },
  ]);
  expect(await ended).toEqual([null, 'SIGKILL']);
});

it('has nothing to stop where nothing runs', async () => {
  const { child, pid, ended } = await startSleeper('');
  child.kill('SIGKILL');
  await ended;
  await expect(stopProcess(pid, [{ signal: 'SIGTERM', graceMs: 100 }])).resolves.toBeUndefined();
});
