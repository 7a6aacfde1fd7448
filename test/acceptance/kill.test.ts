import { gzipSync } from 'node:zlib';
import { Redis } from 'ioredis';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ACCESS_WINDOW, accessLog } from '../support/access-log.ts';
import { createApiClient } from '../support/api-client.ts';
import { batchDigest } from '../support/digest.ts';
import { type StackProcess, startStackProcess } from '../support/stack-process.ts';
import { waitFor } from '../support/wait-for.ts';

// The whole stack as a user starts it, killed from outside.
const files = { 'a.log': accessLog(0, 9_000), 'b.log.gz': gzipSync(accessLog(9_000, 18_000)) };
const BUMPY = 'killed';
let stack: StackProcess;
let api: ReturnType<typeof createApiClient>;
let sql: pg.Pool;
let undisturbed: Record<string, unknown>;

async function runToGates(batchId: string, disturb: () => Promise<void> = async () => undefined): Promise<void> {
  await api.upload(batchId, files);
  await api.submit(batchId, { source: 'web-access', window: ACCESS_WINDOW });
  await api.reach(batchId, 'awaiting_run_approval');
  await api.approveRun(batchId);
  await disturb();
  await api.reach(batchId, 'awaiting_publish_approval');
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
  stack = await startStackProcess({
    args: ['--importers', '3'],
    env: { TRANSFORMER_CHUNK_BYTES: '100000', TRANSFORMER_PART_LINES: '300' },
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

it('is taken back whole when the rollback service is killed at it', async () => {
  const batchId = `${BUMPY}-rollback`;
  await runToGates(batchId);
  await publish(batchId);
  // The rollback waits for this lock, so that the kill falls into its middle.
  const holder = await sql.connect();
  await holder.query('begin');
  await holder.query('select 1 from analytics.backfill_batches where batch_id = $1 for key share', [batchId]);
  await api.operate(batchId, 'rollback', { mode: 'tombstone' });
  await waitFor('the rollback to be at it', async () =>
    (
      await sql.query(
        `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%tombstone_batch%'`,
      )
    ).rowCount === 1
      ? true
      : undefined,
  );
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
            (select count(*)::int from analytics.backfill_outbox) as open_work`,
  );
  expect(rows).toEqual([{ keys: 0, live: 0, open_work: 0 }]);
}, 120_000);
