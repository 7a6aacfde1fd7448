import { runCli } from '@backfill/cli/run-cli';
import { listOtherPrepared } from '@backfill/core/db/queries/prepared-keys';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { runCommandLine } from '../support/command-line.ts';
import { type LyingS3, startLyingS3 } from '../support/lying-s3.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { waitFor } from '../support/wait-for.ts';

interface Finding {
  subject: string;
  problem: string;
  remedy: string;
}
interface Result {
  check: string;
  passed: boolean;
  findings: Finding[];
  blocked_by?: string[];
}

let s3: LyingS3;
let pipeline: Pipeline;
let redis: Redis;
let database: string;
let archive: string;
beforeAll(async () => {
  s3 = await startLyingS3(inject('servers').S3_ENDPOINT ?? '');
  pipeline = await startPipeline({ env: { S3_ENDPOINT: s3.endpoint } });
  redis = new Redis(pipeline.env.REDIS_URL ?? '');
  database = new URL(pipeline.env.DATABASE_URL ?? '').pathname.slice(1);
  archive = pipeline.runtime.config.storage.archiveBucket;
  const window = { start: '2026-08-01T00:00:00Z', end: '2026-08-02T00:00:00Z' };
  await pipeline.submit({ batchId: 'b1', source: 'web-access', window });
  await pipeline.rest('b1');
  // The first one begins by itself.
  await waitFor('retention to have run', async () => {
    const { rows } = await pipeline.sql.query(
      'select 1 from analytics.backfill_retention_runs where outcome is not null',
    );
    return rows[0];
  });
});
afterAll(async () => {
  redis.disconnect();
  await pipeline.dispose();
  await s3.close();
});

/** What makes a finding true is undone again, whatever became of the test. */
const undo: (() => unknown)[] = [];
afterEach(async () => {
  s3.lie = () => undefined;
  for (const step of undo.splice(0).reverse()) await step();
});

async function doctor(env: Record<string, string> = {}): Promise<{ code: number; results: Result[] }> {
  let out = '';
  const code = await runCli(['doctor', '--json'], {
    env: { ...pipeline.env, ...env },
    stdout: { write: (text) => (out += text) },
    stderr: { write: () => undefined },
    signal: new AbortController().signal,
  });
  return { code, results: (JSON.parse(out) as { checks: Result[] }).checks };
}

/** The findings of one check, each in one line. */
async function findings(check: string, env: Record<string, string> = {}): Promise<string[]> {
  const { results } = await doctor(env);
  const found = results.find((result) => result.check === check);
  expect(found?.blocked_by).toBeUndefined();
  for (const { remedy } of found?.findings ?? []) expect(remedy).not.toBe('');
  return (found?.findings ?? []).map(({ subject, problem }) => `${subject}: ${problem}`);
}

/** Changes the database's settings for sessions to come. */
async function setting(name: string, value: string): Promise<void> {
  undo.push(() =>
    pipeline.sql.query(`set default_transaction_read_only = off; alter database ${database} reset ${name}`),
  );
  await pipeline.sql.query(`alter database ${database} set ${name} = '${value}'`);
}

// The test servers give up safety against a power cut for speed, and the doctor says so.
const FAST = [/: fsync is off, .*power cut/, /: full_page_writes is off, /, /: synchronous_commit is off, /];

it('finds nothing else where everything is in order', async () => {
  const { code, results } = await doctor();
  expect(code).toBe(1);
  expect(results.filter(({ passed }) => !passed).map(({ check }) => check)).toEqual(['PostgreSQL']);
  expect(await findings('PostgreSQL')).toEqual(FAST.map((text) => expect.stringMatching(text)));
});

it('leaves nothing behind in the archive', async () => {
  await doctor();
  const keys: string[] = [];
  for await (const { key } of pipeline.runtime.store.list(archive, 'doctor/')) keys.push(key);
  expect(keys).toEqual([]);
});

describe('PostgreSQL', () => {
  it.each([
    ['statement_timeout', '1min', /statement_timeout is 1min, which cuts off imports/],
    ['transaction_timeout', '1h', /transaction_timeout is 1h, which ends the connection/],
    ['session_replication_role', 'replica', /session_replication_role is replica, .*triggers/],
    ['default_transaction_read_only', 'on', /it can only be read/],
  ])('%s = %s', async (name, value, text) => {
    await setting(name, value);
    expect(await findings('PostgreSQL')).toContainEqual(expect.stringMatching(text));
  });

  it('commits that wait for the disk are in order', async () => {
    await setting('synchronous_commit', 'on');
    expect(await findings('PostgreSQL')).toEqual(FAST.slice(0, 2).map((text) => expect.stringMatching(text)));
  });

  it('autovacuum is off', async () => {
    const set = async (statement: string) => {
      await pipeline.sql.query(statement);
      await pipeline.sql.query('select pg_reload_conf()');
    };
    undo.push(() => set('alter system reset autovacuum'));
    await set('alter system set autovacuum = off');
    // The reload reaches the server's processes one by one.
    await waitFor('the finding', async () => {
      const found = await findings('PostgreSQL');
      return found.find((line) => /autovacuum is off, so that tables grow/.test(line));
    });
  });

  it('too few connections for one process of each service', async () => {
    const many = { IMPORTER_CONCURRENCY: '64', VERIFIER_CONCURRENCY: '64' };
    const text = /has room for 197 connections, and one process of each service may take 283/;
    expect(await findings('PostgreSQL', many)).toContainEqual(expect.stringMatching(text));
  });

  it('a transaction that somebody else has prepared', async () => {
    undo.push(() => pipeline.sql.query(`rollback prepared 'left over'`));
    undo.push(() => pipeline.sql.query(`rollback prepared 'bf_b1_1_1_0123456789abcdef'`));
    for (const gid of ['left over', 'bf_b1_1_1_0123456789abcdef']) {
      await pipeline.sql.query(`begin; select 1; prepare transaction '${gid}'`);
    }
    expect(await listOtherPrepared(pipeline.sql, 0)).toEqual(['left over']);
    expect(await listOtherPrepared(pipeline.sql, 60)).toEqual([]);
  });

  it('another encoding, in a database without a schema', async () => {
    const other = `${database}_ascii`;
    undo.push(() => pipeline.sql.query(`drop database ${other} with (force)`));
    await pipeline.sql.query(`create database ${other} template template0 encoding 'SQL_ASCII' locale 'C'`);
    const url = new URL(pipeline.env.DATABASE_URL ?? '');
    url.pathname = `/${other}`;
    const env = { DATABASE_URL: url.href };
    expect(await findings('PostgreSQL', env)).toContainEqual(expect.stringMatching(/its encoding is SQL_ASCII/));
    const { results } = await doctor(env);
    expect(results).toContainEqual(
      expect.objectContaining({
        check: 'schema',
        findings: [
          expect.objectContaining({ problem: expect.stringMatching(/^\d+ migrations are pending, from 0001/) }),
        ],
      }),
    );
    // Not looked at is not in order.
    expect(results).toContainEqual({ check: 'incidents', passed: false, findings: [], blocked_by: ['schema'] });
  });
});

describe('schema', () => {
  const migrations = 'analytics.schema_migrations';

  it('newer than the program', async () => {
    undo.push(() => pipeline.sql.query(`delete from ${migrations} where version = 9000`));
    await pipeline.sql.query(`insert into ${migrations} values (9000, '9000-of-the-future.sql', 'x')`);
    expect(await findings('schema')).toEqual([
      expect.stringMatching(/9000-of-the-future.sql, which this build does not know/),
    ]);
  });

  it('changed after it was applied', async () => {
    const { rows } = await pipeline.sql.query(`select sha256 from ${migrations} where version = 1`);
    undo.push(() => pipeline.sql.query(`update ${migrations} set sha256 = $1 where version = 1`, [rows[0].sha256]));
    await pipeline.sql.query(`update ${migrations} set sha256 = 'other' where version = 1`);
    expect(await findings('schema')).toEqual([
      expect.stringMatching(/0001-create-batch.sql was applied with another text/),
    ]);
  });

  it('older than the program', async () => {
    const newest = `version = (select max(version) from ${migrations})`;
    const { rows } = await pipeline.sql.query(`delete from ${migrations} where ${newest} returning *`);
    const { version, name, sha256, applied_at } = rows[0];
    undo.push(() =>
      pipeline.sql.query(`insert into ${migrations} values ($1, $2, $3, $4)`, [version, name, sha256, applied_at]),
    );
    expect(await findings('schema')).toEqual([expect.stringContaining(`1 migrations are pending, from ${name} on`)]);
  });
});

describe('Redis', () => {
  it.each([
    ['maxmemory-policy', 'allkeys-lru', /maxmemory-policy is allkeys-lru, so that it throws jobs away/],
    ['appendonly', 'no', /appendonly is no/],
    ['maxmemory', '1gb', undefined],
  ])('%s %s', async (name, value, text) => {
    const [, before = ''] = (await redis.config('GET', name)) as string[];
    undo.push(() => redis.config('SET', name, before));
    await redis.config('SET', name, value);
    expect(await findings('Redis')).toEqual(text === undefined ? [] : [expect.stringMatching(text)]);
  });
});

describe('buckets', () => {
  const xml = (body: string) => ({ status: 200, headers: { 'content-type': 'application/xml' }, body });
  const rule = (inner: string) =>
    xml(
      `<LifecycleConfiguration><Rule><ID>tidy</ID><Status>Enabled</Status><Filter/>${inner}</Rule></LifecycleConfiguration>`,
    );
  const EXPIRES = rule('<Expiration><Days>30</Days></Expiration>');
  const DROPS = rule('<NoncurrentVersionExpiration><NoncurrentDays>3</NoncurrentDays></NoncurrentVersionExpiration>');
  const VERSIONED = xml('<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>');

  it('a rule that deletes what is still needed', async () => {
    s3.lie = ({ bucket, query }) => (bucket === archive && query.has('lifecycle') ? EXPIRES : undefined);
    expect(await findings('buckets')).toEqual([expect.stringMatching(/its lifecycle rule "tidy" deletes objects/)]);
  });

  it('versions that keep what was deleted, unless they go as well', async () => {
    s3.lie = ({ bucket, query }) => (bucket === archive && query.has('versioning') ? VERSIONED : undefined);
    expect(await findings('buckets')).toEqual([expect.stringMatching(/it keeps older versions for ever/)]);
    s3.lie = ({ query }) => (query.has('versioning') ? VERSIONED : query.has('lifecycle') ? DROPS : undefined);
    expect(await findings('buckets')).toEqual([]);
  });

  it('an archive that cannot be written, and a raw bucket that cannot be read', async () => {
    const denied = {
      status: 403,
      headers: { 'content-type': 'application/xml' },
      body: '<Error><Code>AccessDenied</Code></Error>',
    };
    s3.lie = ({ method, bucket, query }) =>
      method === 'PUT' || (bucket !== archive && query.has('list-type')) ? denied : undefined;
    expect(await findings('buckets')).toEqual([
      expect.stringMatching(/^bucket raw-.*: it cannot be listed \(AccessDenied HTTP 403\)/),
      expect.stringMatching(/^bucket archive-.*: it cannot be written \(AccessDenied HTTP 403\)/),
    ]);
  });

  it('one that is not there', async () => {
    expect(await findings('buckets', { BACKFILL_RAW_BUCKET: 'nowhere-to-be-found' })).toEqual([
      expect.stringMatching(/^bucket nowhere-to-be-found: it cannot be listed \(there is no bucket/),
    ]);
  });
});

describe('clocks', () => {
  it('an object store that is ahead', async () => {
    const date = () => new Date(Date.now() + 3_600_000).toUTCString();
    s3.lie = ({ bucket }) => (bucket === '' ? { status: 403, headers: { date: date() } } : undefined);
    expect(await findings('clocks')).toEqual([expect.stringMatching(/^S3_ENDPOINT: its clock is 3\d\d\d s ahead of/)]);
  });

  it('this machine ahead of all', async () => {
    const ahead = 'const now = Date.now.bind(Date); Date.now = () => now() + 600_000;';
    const env = { ...pipeline.env, NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(ahead)}` };
    const { code, stdout } = await runCommandLine(['doctor'], env);
    expect(code).toBe(1);
    for (const subject of ['DATABASE_URL', 'REDIS_URL', 'S3_ENDPOINT']) {
      expect(stdout).toMatch(
        new RegExp(`${subject}: its clock is (59\\d|60\\d) s behind the one of this machine.\n +To mend it: .*NTP`),
      );
    }
  });
});

describe('queues', () => {
  it('jobs that have used up their attempts', async () => {
    const prefix = `${pipeline.env.BACKFILL_QUEUE_PREFIX}:maintenance`;
    const fail = async (jobId: string, data: object, finishedOn: number) => {
      undo.push(
        () => redis.del(`${prefix}:${jobId}`),
        () => redis.zrem(`${prefix}:failed`, jobId),
      );
      await redis.hset(`${prefix}:${jobId}`, { name: 'retention', data: JSON.stringify(data), finishedOn, opts: '{}' });
      await redis.zadd(`${prefix}:failed`, finishedOn, jobId);
    };
    await fail('long-ago', {}, Date.now() - 2 * 3_600_000);
    // Its batch has failed over it, which is told by the batch.
    await fail('of-b1', { batch_id: 'b1' }, Date.now());
    expect(await findings('queues')).toEqual([]);
    await fail('just-now', {}, Date.now());
    expect(await findings('queues')).toEqual(['queue maintenance: 1 job used up all attempts within the last hour']);
  });

  it('nobody takes jobs', async () => {
    expect(await findings('queues', { BACKFILL_QUEUE_PREFIX: 'nobody' })).toEqual([
      'queue raw-chunks: no transformer takes jobs from it',
      'queue transformed-events: no importer takes jobs from it',
      'queue verification: no verifier takes jobs from it',
      'queue rollback: no rollback takes jobs from it',
      'queue maintenance: no rollback takes jobs from it',
    ]);
  });
});

describe('people', () => {
  it('retention that is late, and files of the raw bucket past their time', async () => {
    const over = { bucket: 'raw', before: '2026-01-01', objects: 3, bytes: 9, oldest: '2025-01-01', inputs: [] };
    const runs = 'analytics.backfill_retention_runs';
    const { rows } = await pipeline.sql.query(`select run_id, ended_at, over_age from ${runs}`);
    for (const { run_id, ended_at, over_age } of rows) {
      const before = [run_id, ended_at, over_age];
      undo.push(() => pipeline.sql.query(`update ${runs} set ended_at = $2, over_age = $3 where run_id = $1`, before));
    }
    await pipeline.sql.query(`update ${runs} set ended_at = ended_at - interval '3 hours', over_age = $1`, [over]);
    expect(await findings('retention')).toEqual([
      expect.stringMatching(/no run has deleted everything past its time since 20/),
      'bucket raw: 3 objects in it should have been deleted, the oldest of 2025-01-01',
    ]);
  });

  it('an incident without its post-mortem', async () => {
    undo.push(() =>
      pipeline.sql.query(`update analytics.backfill_incidents set closed_at = now(), closed_by = 'test'`),
    );
    await pipeline.sql.query(
      `insert into analytics.backfill_incidents (batch_id, kind, summary) values ('b1', 'gates_failed', 'x'), ('b1', 'rollback_stuck', 'y')`,
    );
    expect(await findings('incidents')).toEqual([]);
    await pipeline.sql.query(
      `update analytics.backfill_incidents set raised_at = raised_at - interval '2 days', post_mortem_due = post_mortem_due - interval '2 days' where summary = 'x'`,
    );
    expect(await findings('incidents')).toEqual([
      expect.stringMatching(/^incident \d+ of b1: its post-mortem \(gates_failed\) was due on/),
    ]);
  });
});

describe('servers that are away', () => {
  it.each([
    ['REDIS_URL', 'redis://127.0.0.1:1', ['versions', 'Redis', 'clocks', 'queues']],
    [
      'DATABASE_URL',
      'postgres://x@127.0.0.1:1/x',
      ['versions', 'schema', 'PostgreSQL', 'clocks', 'dedup store', 'audit log', 'queues', 'retention', 'incidents'],
    ],
    ['S3_ENDPOINT', 'http://127.0.0.1:1', ['buckets', 'clocks', 'audit log']],
  ])('%s', async (name, value, blocked) => {
    const { code, results } = await doctor({ [name]: value });
    expect(code).toBe(1);
    expect(results.flatMap((result) => result.findings).filter(({ subject }) => subject === name)).toHaveLength(1);
    expect(results.filter(({ blocked_by }) => blocked_by !== undefined).map(({ check }) => check)).toEqual(blocked);
  });
});

it('talks to no server where the policy lets no data be', async () => {
  const { results } = await doctor({ REDIS_URL: 'redis://redis.example.com:6379' });
  expect(results.find(({ check }) => check === 'residency')?.findings).toMatchObject([{ subject: 'REDIS_URL' }]);
  expect(results.find(({ check }) => check === 'servers')?.findings).toEqual([]);
  expect(results.find(({ check }) => check === 'Redis')?.blocked_by).toEqual(['redis']);
});
