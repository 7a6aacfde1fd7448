import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { formatEnvFile, parseEnvFile, readEnvFile } from './env-file.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'backfill-env-'));
const file = path.join(folder, 'env');
afterAll(() => rmSync(folder, { recursive: true }));

const VALUES = {
  DATABASE_URL: 'postgres://postgres:s3cret@127.0.0.1:20001/backfill',
  BACKFILL_CONFIG_DIR: "/home/o'brien/my config/$HOME/`id`",
  EMPTY: '',
  EQUALS: 'a=b=c',
};

it('leaves plain values unquoted', () => {
  expect(formatEnvFile({ A: 'http://127.0.0.1:1/x' })).toBe('A=http://127.0.0.1:1/x\n');
});

it('gives back what was written', () => {
  expect(parseEnvFile(formatEnvFile(VALUES))).toEqual(VALUES);
});

it('can be sourced by a shell', () => {
  writeFileSync(file, formatEnvFile(VALUES));
  const script = 'set -eu; . "$0"; printf "%s\\n" "$DATABASE_URL" "$BACKFILL_CONFIG_DIR" "$EMPTY" "$EQUALS"';
  expect(execFileSync('sh', ['-c', script, file], { encoding: 'utf8' })).toBe(`${Object.values(VALUES).join('\n')}\n`);
});

it('refuses a line break, which would become another variable', () => {
  expect(() => formatEnvFile({ A: 'x\nB=y' })).toThrow('A has a line break');
});

it('says when there is no file', () => {
  expect(readEnvFile(path.join(folder, 'none'))).toBeUndefined();
});
