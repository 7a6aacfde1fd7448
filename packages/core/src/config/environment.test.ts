import { expect, it } from 'vitest';
import { readEnvironment } from './environment.ts';

const good = {
  DATABASE_URL: 'postgres://u:secret@127.0.0.1:5432/d',
  REDIS_URL: 'redis://127.0.0.1:6379',
  S3_ENDPOINT: 'http://127.0.0.1:9000',
  S3_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: 'k',
  AWS_SECRET_ACCESS_KEY: 's',
  BACKFILL_CONFIG_DIR: '/etc/backfill',
};

it('groups and freezes what it reads', () => {
  const config = readEnvironment('importer', { ...good, IMPORTER_PORT: '9101', ANALYTICS_SALT: 'pepper' });
  expect(config.http).toEqual({ host: '127.0.0.1', port: 9101 });
  expect(config.storage.rawBucket).toBe('analytics-raw');
  expect(config.salts?.get(1)?.toString()).toBe('pepper');
  expect(Object.isFrozen(config)).toBe(true);
});

it('has a dedup store of its own where that is another database', () => {
  const keysAt = (url: string) =>
    readEnvironment('importer', { ...good, CHECKPOINT_DATABASE_URL: url }).checkpointDatabaseUrl;
  expect(readEnvironment('importer', good).checkpointDatabaseUrl).toBeUndefined();
  expect(keysAt(good.DATABASE_URL)).toBeUndefined();
  expect(keysAt('postgres://u:secret@127.0.0.1:5432/keys')).toBe('postgres://u:secret@127.0.0.1:5432/keys');
  expect(() => keysAt('mysql://topsecret')).toThrow(/CHECKPOINT_DATABASE_URL/);
});

it('refuses a salt that is half a list, without quoting it', () => {
  const half = { ...good, ANALYTICS_SALT: '1: pepper\nsugar' };
  expect(() => readEnvironment('transformer', half)).toThrow(/ANALYTICS_SALT line 2 is not of the form/);
  expect(() => readEnvironment('transformer', half)).not.toThrow(/sugar/);
});

it('takes the key of the audit log without white space around it, and none that is short', () => {
  const keyOf = (text: string) => readEnvironment('api', { ...good, AUDIT_KEY: text }).auditKey;
  expect(readEnvironment('api', good).auditKey).toBeUndefined();
  expect(
    keyOf(` ${'k'.repeat(32)}\n`)
      ?.export()
      .toString(),
  ).toBe('k'.repeat(32));
  expect(() => keyOf('secret')).toThrow(/^AUDIT_KEY is too short .*32 bytes/);
});

it('names every mistake at once and no value', () => {
  const broken = { ...good, DATABASE_URL: 'mysql://topsecret', REDIS_URL: '', IMPORTER_PORT: 'many' };
  expect(() => readEnvironment('importer', broken)).toThrow(/DATABASE_URL[\s\S]*REDIS_URL[\s\S]*IMPORTER_PORT/);
  expect(() => readEnvironment('importer', broken)).not.toThrow(/topsecret/);
});
