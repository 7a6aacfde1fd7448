import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
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

it('takes a link to a file for the file', async () => {
  const elsewhere = mkdtempSync(path.join(tmpdir(), 'backfill-cli-'));
  writeFileSync(path.join(elsewhere, 'real.log'), 'line\n');
  symlinkSync(path.join(elsewhere, 'real.log'), path.join(folder, 'a.log'));
  expect((await listLocalFiles(folder)).map(({ key, size }) => [key, size])).toEqual([['a.log', 5]]);
  rmSync(elsewhere, { recursive: true });
});

it('takes names with spaces, and in all scripts', async () => {
  const names = ['a b #1 100%+.log', 'ぐ/журнал.log', 'é.log'];
  mkdirSync(path.join(folder, 'ぐ'));
  for (const name of names) writeFileSync(path.join(folder, name), '');
  expect((await listLocalFiles(folder)).map(({ key }) => key)).toEqual(['a b #1 100%+.log', 'é.log', 'ぐ/журнал.log']);
});

it.each<[string, (at: (name: string) => string) => void, RegExp]>([
  ['links to folders', (at) => symlinkSync(folder, at('days')), /^days is a link to a folder/],
  ['links that lead nowhere', (at) => symlinkSync('/nowhere/at/all', at('gone')), /^gone is a link that leads nowhere/],
  ['links in a circle', (at) => symlinkSync('round', at('round')), /^round is a link that leads nowhere/],
  ['two links to one file', (at) => symlinkSync('a.log', at('b.log')), /^(a|b)\.log and (a|b)\.log are one file/],
  ['two names of one file', (at) => linkSync(at('a.log'), at('b.log')), /are one file/],
  ['pipes', (at) => void execFileSync('mkfifo', [at('pipe')]), /^pipe is no ordinary file/],
  ['line ends in names', (at) => writeFileSync(at('a\nb'), ''), /^The name "a\\nb" has control characters/],
  ['names that are not UTF-8', (at) => writeFileSync(Buffer.from(`${at('x')}\xff`, 'latin1'), ''), /not UTF-8/],
])('refuses %s', async (_what, make, text) => {
  writeFileSync(path.join(folder, 'a.log'), 'line\n');
  make((name) => path.join(folder, name));
  await expect(listLocalFiles(folder)).rejects.toThrow(text);
});

it('refuses paths that are too long', async () => {
  const deep = Array.from({ length: 5 }, () => 'd'.repeat(200)).join('/');
  mkdirSync(path.join(folder, deep), { recursive: true });
  writeFileSync(path.join(folder, deep, 'a.log'), '');
  await expect(listLocalFiles(folder)).rejects.toThrow(/is longer than 900 bytes/);
});
