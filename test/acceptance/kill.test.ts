import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { Redis } from 'ioredis';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ACCESS_WINDOW, accessLog } from '../support/access-log.ts';
import { createApiClient } from '../support/api-client.ts';
import { createConfigDir } from '../support/config-dir.ts';
import { batchDigest } from '../support/digest.ts';
import { readBucket } from '../support/leak/search-everything.ts';
import { type StackProcess, startStackProcess } from '../support/stack-process.ts';
import { waitFor } from '../support/wait-for.ts';

// The whole stack as a user starts it, killed from outside.
const files = { 'a.log': accessLog(0, 9_000), 'b.log.gz': gzipSync(accessLog(9_000, 18_000)) };
const fewer = { 'a.log': accessLog(0, 900), 'b.log.gz': gzipSync(accessLog(900, 1_800)) };
const BUMPY = 'killed';
let stack: StackProcess;
let api: ReturnType<typeof createApiClient>;
let sql: pg.Pool;
let config: Awaited<ReturnType<typeof createConfigDir>>;
let undisturbed: Record<string, unknown>;

async function plan(batchId: string, source: string): Promise<void> {
  await api.upload(batchId, source === 'web-abroad' ? fewer : files);
  await api.submit(batchId, { source, window: ACCESS_WINDOW });
  await api.reach(batchId, 'awaiting_run_approval');
}

async function runToGates(
  batchId: string,
  disturb: () => Promise<void> = async () => undefined,
  source = 'web-access',
): Promise<void> {
  await plan(batchId, source);
  await api.approveRun(batchId);
  await disturb();
  await api.reach(batchId, 'awaiting_publish_approval');
}

/** Waits until a statement with this text waits for somebody's lock. */
async function waitForLock(statement: string): Promise<void> {
  const waiting = `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%' || $1 || '%'`;
  await waitFor(`${statement} to wait`, async () =>
    (await sql.query(waiting, [statement])).rowCount === 1 ? true : undefined,
  );
}

async function publish(batchId: string): Promise<void> {
  await api.approvePublish(batchId);
  await api.operate(batchId, 'publish');
  await api.reach(batchId, 'published');
}

/** Waits until this many lines of the batch are transformed, so that a blow falls into the middle. */
async function linesRead(batchId: string, lines: number): Promise<void> {
  await waitFor(`${lines} lines of ${batchId}`, async () =>
    (await api.get(batchId)).progress.lines_read >= lines ? true : undefined,
  );
}

async function takeBack(batchId: string): Promise<void> {
  await api.operate(batchId, 'rollback', { mode: 'tombstone' });
  await api.reach(batchId, 'rolled_back');
}

beforeAll(async () => {
  config = await createConfigDir();
  const abroad = await readFile(path.join(config.dir, 'sources/web-access.yaml'), 'utf8');
  const changed = abroad.replace('source: web-access', 'source: web-abroad').replace('region: eu', 'region: non-eu');
  await writeFile(path.join(config.dir, 'sources/web-abroad.yaml'), changed);
  stack = await startStackProcess({
    args: ['--importers', '3'],
    env: { TRANSFORMER_CHUNK_BYTES: '100000', TRANSFORMER_PART_LINES: '300', BACKFILL_CONFIG_DIR: config.dir },
  });
  api = createApiClient(stack.env);
  sql = new pg.Pool({ connectionString: stack.env.DATABASE_URL, max: 2 });
  await runToGates('smooth');
  await publish('smooth');
  undisturbed = await batchDigest(sql, 'smooth');
  await takeBack('smooth');
}, 120_000);

afterAll(async () => {
  await sql.end();
  await stack.stop();
  await config.remove();
}, 60_000);

it.each(['transformer-1', 'importer-2', 'verifier-1'])(
  'ends in the same rows when %s is killed in the middle',
  async (name) => {
    const batchId = `${BUMPY}-${name}`;
    await runToGates(batchId, async () => {
      if (name === 'verifier-1') await api.reach(batchId, 'verifying', 'awaiting_publish_approval');
      else await linesRead(batchId, 3_000);
      await stack.killService(name);
    });
    await publish(batchId);
    expect(await batchDigest(sql, batchId)).toEqual(undisturbed);
    await takeBack(batchId);
  },
  120_000,
);

it('ends in the same rows when Redis forgets everything in the middle', async () => {
  const batchId = `${BUMPY}-redis`;
  const redis = new Redis(stack.env.REDIS_URL ?? '');
  await runToGates(batchId, async () => {
    await redis.flushall();
    await linesRead(batchId, 3_000);
    await redis.flushall();
  });
  await redis.flushall();
  redis.disconnect();
  await publish(batchId);
  expect(await batchDigest(sql, batchId)).toEqual(undisturbed);
  await takeBack(batchId);
}, 120_000);

it('ends in the same copies and rows when the transformer is killed at the mirror of a source from outside the EU', async () => {
  const copies = async (batchId: string) => {
    const objects = await readBucket(stack, 'analytics-backfill');
    const inMirror = objects.filter(({ where }) => where.includes(`/raw/${batchId}/`) && !where.endsWith('.json'));
    // Before the object's text stand two lines about it.
    return inMirror.map(({ bytes }) => bytes.toString().split('\n').slice(2).join('\n'));
  };
  await runToGates('smooth-abroad', undefined, 'web-abroad');
  const smooth = { digest: await batchDigest(sql, 'smooth-abroad'), copies: await copies('smooth-abroad') };
  expect(smooth.copies.map((copy) => copy.split('\n').length)).toEqual([901, 901]);
  await takeBack('smooth-abroad');

  const batchId = `${BUMPY}-abroad`;
  await plan(batchId, 'web-abroad');
  // The second file is copied and waits for this lock to be noted, so that the kill falls between the two.
  const holder = await sql.connect();
  await holder.query('begin');
  await holder.query('select 1 from analytics.backfill_files where batch_id = $1 and file_no = 1 for update', [
    batchId,
  ]);
  await api.approveRun(batchId);
  await waitForLock('update analytics.backfill_files');
  await stack.killService('transformer-1');
  await holder.query('commit');
  holder.release();
  await api.reach(batchId, 'awaiting_publish_approval');
  expect({ digest: await batchDigest(sql, batchId), copies: await copies(batchId) }).toEqual(smooth);
  await takeBack(batchId);
}, 120_000);

it('is taken back whole when the rollback service is killed at it', async () => {
  const batchId = `${BUMPY}-rollback`;
  await runToGates(batchId);
  await publish(batchId);
  // The rollback waits for this lock, so that the kill falls into its middle.
  const holder = await sql.connect();
  await holder.query('begin');
  await holder.query('select 1 from analytics.backfill_batches where batch_id = $1 for key share', [batchId]);
  await api.operate(batchId, 'rollback', { mode: 'tombstone' });
  await waitForLock('tombstone_batch');
  await stack.killService('rollback-1');
  await holder.query('commit');
  holder.release();
  await api.reach(batchId, 'rolled_back');
  const { rows } = await sql.query(
    `select (select count(*)::int from analytics.events where batch_id = $1) as live,
            (select count(*)::int from analytics.backfill_event_checkpoint where batch_id = $1) as keys,
            (select sum(tombstoned)::int from analytics.backfill_rollbacks where batch_id = $1) as tombstoned`,
    [batchId],
  );
  expect(rows).toEqual([{ live: 0, keys: 0, tombstoned: 18_000 }]);
}, 120_000);

it('has had several importers at work on one batch', async () => {
  const answers = await Promise.all(
    [1, 2, 3].map(async (number) => (await fetch(`${stack.env[`BACKFILL_IMPORTER_${number}_URL`]}/metrics`)).text()),
  );
  const inserted = answers.map((text) =>
    Number(/^backfill_lines_total\{[^}]*outcome="inserted"[^}]*\} (\d+)/m.exec(text)?.[1] ?? 0),
  );
  expect(inserted.filter((lines) => lines > 0).length).toBeGreaterThan(1);
});

it('gives everything up when rolled back while it is imported', async () => {
  const batchId = `${BUMPY}-abandoned`;
  await api.upload(batchId, files);
  await api.submit(batchId, { source: 'web-access', window: ACCESS_WINDOW });
  await api.reach(batchId, 'awaiting_run_approval');
  await api.approveRun(batchId);
  await linesRead(batchId, 3_000);
  await takeBack(batchId);
  const { rows } = await sql.query(
    `select (select count(*)::int from analytics.backfill_event_checkpoint) as keys,
            (select count(*)::int from analytics.events) as live,
            (select count(*)::int from analytics.backfill_outbox where kind <> 'report') as open_work`,
  );
  expect(rows).toEqual([{ keys: 0, live: 0, open_work: 0 }]);
}, 120_000);
