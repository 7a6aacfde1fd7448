import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { createObjectStore } from '@backfill/core/storage/object-store';
import { Redis } from 'ioredis';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startStackProcess } from '../support/stack-process.ts';
import { waitFor } from '../support/wait-for.ts';

// npm start as an operator sees it: its state directory, its processes, its exit code.
const START = path.join(import.meta.dirname, '../../infra/src/start.ts');
const PROCESSES = ['postgres', 'redis', 's3', 'api-1', 'transformer-1', 'importer-1', 'verifier-1', 'rollback-1'];
const TOKEN_ROLES = [
  ...['VIEWER', 'SUBMITTER', 'OPERATOR', 'DATA_ENGINEERING_LEAD', 'PRODUCT_ANALYTICS_MANAGER'],
  ...['DATA_PRIVACY_OFFICER', 'LEGAL_COUNSEL_PRIVACY', 'PRODUCT_OWNER'],
];
let stateDir: string;

beforeAll(async () => {
  stateDir = await mkdtemp(path.join(tmpdir(), 'backfill-stack-'));
});

afterAll(() => rm(stateDir, { recursive: true, force: true, maxRetries: 5 }));

/** A zombie, which waits for whatever is process 1 here to take note of its end, does not run. */
function runs(pid: number): boolean {
  try {
    if (process.platform === 'linux') return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    return process.kill(pid, 0);
  } catch (error) {
    if (error instanceof Error && 'code' in error && ['ENOENT', 'ESRCH'].includes(String(error.code))) return false;
    throw error;
  }
}

async function supervisorPid(): Promise<number> {
  return Number.parseInt(await readFile(path.join(stateDir, 'lock'), 'utf8'), 10);
}

/** Kills the supervisor without a warning, and waits for the env file of the dead stack to go. */
async function killSupervisor(): Promise<void> {
  process.kill(await supervisorPid(), 'SIGKILL');
  await waitFor('the env file to go', async () => (existsSync(path.join(stateDir, 'env')) ? undefined : true));
}

/** The process ids of a running stack by name, the supervisor's included. */
async function pids(stack: Awaited<ReturnType<typeof startStackProcess>>): Promise<number[]> {
  const children = await Promise.all(PROCESSES.map((name) => stack.pidOf(name)));
  expect(children).not.toContain(undefined);
  return [await supervisorPid(), ...children.filter((pid) => pid !== undefined)];
}

function connect(env: Record<string, string>) {
  const redis = new Redis(env.REDIS_URL ?? '');
  const sql = new pg.Client({ connectionString: env.DATABASE_URL });
  const store = createObjectStore({
    endpoint: env.S3_ENDPOINT ?? '',
    region: env.S3_REGION ?? '',
    accessKeyId: env.AWS_ACCESS_KEY_ID ?? '',
    secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? '',
    rawBucket: 'analytics-raw',
    archiveBucket: 'analytics-backfill',
  });
  const close = async () => {
    redis.disconnect();
    store.close();
    await sql.end();
  };
  return { redis, sql, store, close };
}

/** Writes into all three servers. */
async function leaveTrace(env: Record<string, string>, name: string): Promise<void> {
  const { redis, sql, store, close } = connect(env);
  await sql.connect();
  await sql.query('create table if not exists public.trace (name text)');
  await sql.query('insert into public.trace values ($1)', [name]);
  await redis.rpush('trace', name);
  await store.put('analytics-raw', `trace/${name}`, Buffer.from(name), 'text/plain');
  await close();
}

async function readTraces(env: Record<string, string>) {
  const { redis, sql, store, close } = connect(env);
  await sql.connect();
  const { rows } = await sql.query<{ name: string }>('select name from public.trace order by name');
  const listed = await redis.lrange('trace', 0, -1);
  const objects: string[] = [];
  for await (const object of store.list('analytics-raw', 'trace/')) objects.push(object.key);
  await close();
  return { rows: rows.map((row) => row.name), listed, objects };
}

it('writes what a shell needs, keeps it private, and takes it back at Ctrl-C', async () => {
  const stack = await startStackProcess({ stateDir });
  const { env } = stack;
  expect(Object.keys(env)).toEqual(
    expect.arrayContaining([
      ...['DATABASE_URL', 'REDIS_URL', 'S3_ENDPOINT', 'S3_REGION', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'],
      ...['BACKFILL_API_URL', 'BACKFILL_IMPORTER_1_URL', ...TOKEN_ROLES.map((role) => `BACKFILL_TOKEN_${role}`)],
    ]),
  );
  const file = await stat(path.join(stateDir, 'env'));
  expect(file.mode & 0o777).toBe(0o600);
  const answer = await fetch(`${env.BACKFILL_API_URL}/v1/batches`, {
    headers: { Authorization: `Bearer ${env.BACKFILL_TOKEN_VIEWER}` },
  });
  expect(answer.status).toBe(200);
  await leaveTrace(env, 'a');

  const all = await pids(stack);
  expect(await stack.stop()).toBe(0);
  expect(all.filter(runs)).toEqual([]);
  await expect(stat(path.join(stateDir, 'env'))).rejects.toThrow('ENOENT');
}, 120_000);

it('finds its state again, also after its supervisor was killed', async () => {
  const stack = await startStackProcess({ stateDir, args: ['--separate-checkpoint'] });
  expect(stack.env.CHECKPOINT_DATABASE_URL).toMatch(/\/backfill_checkpoint$/);
  expect(await readTraces(stack.env)).toEqual({ rows: ['a'], listed: ['a'], objects: ['trace/a'] });
  await leaveTrace(stack.env, 'b');
  const all = await pids(stack);
  await killSupervisor();
  const again = await startStackProcess({ stateDir });
  expect(all.filter(runs)).toEqual([]);
  expect(again.env).toEqual(stack.env);
  expect(await readTraces(again.env)).toEqual({
    rows: ['a', 'b'],
    listed: ['a', 'b'],
    objects: ['trace/a', 'trace/b'],
  });
  expect(await again.stop()).toBe(0);
}, 120_000);

it('leaves nothing running when its supervisor was killed', async () => {
  const stack = await startStackProcess({ stateDir });
  const all = await pids(stack);
  await killSupervisor();
  await waitFor('everything to end', async () => (all.some(runs) ? undefined : true));
}, 120_000);

it('refuses a second start on the same state, and names the first', async () => {
  const stack = await startStackProcess({ stateDir });
  const second = spawn(process.execPath, [START, '--state-dir', stateDir], { stdio: ['ignore', 'ignore', 'pipe'] });
  const [message, [code]] = await Promise.all([text(second.stderr), once(second, 'exit')]);
  expect(code).toBe(1);
  expect(message).toContain(`in use by process ${await supervisorPid()}`);
  expect((await pids(stack)).every(runs)).toBe(true);
  expect(await stack.stop()).toBe(0);
}, 120_000);
