import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { lockHolder, StateInUseError, takeLock } from './state-lock.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'backfill-lock-'));
const file = path.join(folder, 'lock');
afterAll(() => rmSync(folder, { recursive: true }));

it('keeps a second one out and names the holder', () => {
  const unlock = takeLock(file, folder);
  expect(lockHolder(file)).toBe(process.pid);
  expect(() => takeLock(file, folder)).toThrow(StateInUseError);
  expect(() => takeLock(file, folder)).toThrow(`in use by process ${process.pid}`);
  unlock();
  expect(lockHolder(file)).toBeUndefined();
  expect(readdirSync(folder)).toEqual([]);
});

it('takes over the lock of a process that is gone', () => {
  writeFileSync(file, `${process.pid} an earlier boot/1\n`);
  expect(lockHolder(file)).toBeUndefined();
  takeLock(file, folder)();
  expect(readdirSync(folder)).toEqual([]);
});
