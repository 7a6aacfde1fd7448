import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { listLocalFiles } from './local-files.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'backfill-cli-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('lists files of all levels in key order, without hidden ones', async () => {
  mkdirSync(path.join(folder, 'b/.cache'), { recursive: true });
  for (const name of ['c.log', 'b/a.log', '.DS_Store', 'b/.cache/x']) writeFileSync(path.join(folder, name), 'line\n');
  expect(await listLocalFiles(folder)).toEqual([
    { file: path.join(folder, 'b/a.log'), key: 'b/a.log', size: 5 },
    { file: path.join(folder, 'c.log'), key: 'c.log', size: 5 },
  ]);
});

it('tells a folder that is missing, empty or none', async () => {
  await expect(listLocalFiles(folder)).rejects.toThrow('There is no file in');
  await expect(listLocalFiles(path.join(folder, 'none'))).rejects.toThrow('There is no folder');
  writeFileSync(path.join(folder, 'file'), '');
  await expect(listLocalFiles(path.join(folder, 'file'))).rejects.toThrow('is not a folder');
});
