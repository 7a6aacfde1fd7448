import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readSettings } from './settings.ts';

const FILE = `BACKFILL_API_URL=http://127.0.0.1:1
BACKFILL_TOKEN_VIEWER=file-viewer
S3_ENDPOINT=http://127.0.0.1:2
S3_REGION=eu-central-1
AWS_ACCESS_KEY_ID=file-key
AWS_SECRET_ACCESS_KEY='file secret'
`;

let stateDir: string;
beforeEach(() => {
  stateDir = mkdtempSync(path.join(tmpdir(), 'backfill-cli-'));
  writeFileSync(path.join(stateDir, 'env'), FILE);
});
afterEach(() => rmSync(stateDir, { recursive: true }));

describe('readSettings', () => {
  it('reads the env file of the running stack', () => {
    const settings = readSettings({ BACKFILL_STATE_DIR: stateDir }, undefined);
    expect(settings.apiUrl()).toBe('http://127.0.0.1:1');
    expect(settings.token('viewer')).toBe('file-viewer');
    expect(settings.storage()).toMatchObject({ secretAccessKey: 'file secret', rawBucket: 'analytics-raw' });
  });

  it('prefers the environment, but not over --state-dir', () => {
    const env = { BACKFILL_STATE_DIR: stateDir, BACKFILL_API_URL: 'http://other', BACKFILL_TOKEN_VIEWER: '' };
    expect(readSettings(env, undefined).apiUrl()).toBe('http://other');
    expect(readSettings(env, undefined).token('viewer')).toBe('file-viewer');
    expect(readSettings(env, stateDir).apiUrl()).toBe('http://127.0.0.1:1');
  });

  it('takes BACKFILL_TOKEN over everything', () => {
    expect(readSettings({ BACKFILL_TOKEN: 'mine' }, stateDir).token('viewer')).toBe('mine');
  });

  it('does not mix the credentials of one object store with the address of another', () => {
    const env = { BACKFILL_STATE_DIR: stateDir, AWS_ACCESS_KEY_ID: 'cloud', AWS_SECRET_ACCESS_KEY: 'cloud' };
    expect(readSettings(env, undefined).storage()).toMatchObject({ accessKeyId: 'file-key' });
  });

  it('says what to do when nothing runs here', () => {
    const settings = readSettings({}, path.join(stateDir, 'none'));
    expect(() => settings.apiUrl()).toThrow(/BACKFILL_API_URL is not set, and no stack is running here/);
  });

  describe('transformer', () => {
    const SERVERS = `${FILE}DATABASE_URL=postgres://file/a\nREDIS_URL=redis://file\nANALYTICS_SALT=salt-of-the-file\n`;
    const saltOf = (env: NodeJS.ProcessEnv) => readSettings(env, undefined).transformer().salts?.get(1)?.toString();

    it('takes all from the env file, and the example configuration where none is named', () => {
      writeFileSync(path.join(stateDir, 'env'), SERVERS);
      const config = readSettings({ BACKFILL_STATE_DIR: stateDir }, undefined).transformer();
      expect(config).toMatchObject({ databaseUrl: 'postgres://file/a', storage: { accessKeyId: 'file-key' } });
      expect(config.configDir).toMatch(/examples\/config$/);
    });

    it('mixes neither secrets nor object stores of two places', () => {
      writeFileSync(path.join(stateDir, 'env'), SERVERS);
      const saltFile = path.join(stateDir, 'salt');
      writeFileSync(saltFile, 'salt-of-the-environment\n');
      const env = { BACKFILL_STATE_DIR: stateDir, AWS_ACCESS_KEY_ID: 'cloud', ANALYTICS_SALT_FILE: saltFile };
      expect(saltOf(env)).toBe('salt-of-the-environment');
      expect(saltOf({ BACKFILL_STATE_DIR: stateDir, ANALYTICS_SALT: 'in-plain' })).toBe('in-plain');
      expect(readSettings(env, undefined).transformer().storage.accessKeyId).toBe('file-key');
      const other = { ...env, S3_ENDPOINT: 'https://s3.example.eu', S3_REGION: 'eu-west-1' };
      expect(() => readSettings(other, undefined).transformer()).toThrow(/AWS_SECRET_ACCESS_KEY/);
    });

    it('takes the key of the audit log from one place', () => {
      writeFileSync(path.join(stateDir, 'env'), `${SERVERS}AUDIT_KEY_FILE=/nowhere/to/be/found\n`);
      const env = { BACKFILL_STATE_DIR: stateDir, AUDIT_KEY: 'k'.repeat(32) };
      expect(readSettings(env, undefined).transformer().auditKey?.export().toString()).toBe('k'.repeat(32));
    });

    it('takes the dedup store from where the events are', () => {
      writeFileSync(path.join(stateDir, 'env'), `${SERVERS}CHECKPOINT_DATABASE_URL=postgres://file/keys\n`);
      const keysOf = (env: NodeJS.ProcessEnv) =>
        readSettings({ BACKFILL_STATE_DIR: stateDir, ...env }, undefined).transformer().checkpointDatabaseUrl;
      expect(keysOf({})).toBe('postgres://file/keys');
      expect(keysOf({ CHECKPOINT_DATABASE_URL: 'postgres://elsewhere/keys' })).toBe('postgres://file/keys');
      expect(keysOf({ DATABASE_URL: 'postgres://elsewhere/a' })).toBeUndefined();
    });
  });
});
