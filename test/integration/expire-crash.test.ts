import { readEnvironment } from '@backfill/core/config/environment';
import { prepareDatabases } from '@backfill/core/runtime/prepare-databases';
import { createRuntime, type Runtime } from '@backfill/core/runtime/runtime';
import { archiveLayout } from '@backfill/core/storage/layout';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { createConfigDir } from '../support/config-dir.ts';
import { createTestEnvironment, type TestEnvironment } from '../support/environment.ts';
import {
  listArchive,
  OLD_LEAF,
  oldEventId,
  placeExpiredBatch,
  placeLiveEvent,
  readLeft,
  readReceipts,
} from '../support/expired-world.ts';
import { nothingInDoubt } from '../support/keys-freed.ts';
import { type ServiceProcess, startServiceProcess } from '../support/service-process.ts';
import { waitFor } from '../support/wait-for.ts';

// Retention in processes that die, with the keys in a database of their own, and a Redis that forgets.
let config: Awaited<ReturnType<typeof createConfigDir>>;
beforeAll(async () => {
  config = await createConfigDir();
});
afterAll(() => config.remove());

let environment: TestEnvironment;
let runtime: Runtime;
let env: Record<string, string>;
const running = new Set<ServiceProcess>();
beforeEach(async () => {
  environment = await createTestEnvironment('in a database of its own');
  env = { ...environment.env, BACKFILL_CONFIG_DIR: config.dir, BACKFILL_JOB_LOCK_MS: '1500' };
  runtime = createRuntime(readEnvironment('rollback', env));
  await prepareDatabases(runtime);
});
afterEach(async () => {
  for (const service of running) await service.end('SIGTERM');
  running.clear();
  await runtime.close();
  await environment.dispose();
});

function start(crashAt?: string): ServiceProcess {
  const service = startServiceProcess('rollback', env, crashAt);
  running.add(service);
  return service;
}

const runs = async () =>
  (
    await environment.sql.query<{ outcome: string | null; ended_at: Date | null }>(
      'select outcome, ended_at from analytics.backfill_retention_runs order by run_id',
    )
  ).rows;

/** All that is known of the queues, and the jobs that are under way. */
async function forgetQueues(): Promise<void> {
  const redis = new Redis(env.REDIS_URL ?? '');
  const keys = await redis.keys(`${env.BACKFILL_QUEUE_PREFIX}:*`);
  if (keys.length > 0) await redis.del(keys);
  await redis.quit();
}

const allEnded = () =>
  waitFor('retention to have run', async () => {
    const all = await runs();
    return all.length > 0 && all.every(({ outcome }) => outcome !== null) ? all : undefined;
  });

it.each([
  'retention:begun',
  'retention:announced',
  'retention:objects-deleted',
  'retention:day-dropped',
  'retention:rows-deleted',
  'retention:written',
  'retention:prepared',
  'retention:decided',
  'retention:keys-deleted',
  'retention:records-deleted',
])(
  'killed at %s it is ended by the next one, and its receipts are true',
  async (crashAt) => {
    await placeExpiredBatch(environment, runtime, { batchId: 'old', events: [1, 2, 3] });
    // Of a day that is kept for somebody, and one without a partition.
    const exceptionUntil = '2090-01-01T00:00:00Z';
    if (crashAt === 'retention:rows-deleted') {
      await placeExpiredBatch(environment, runtime, { batchId: 'excepted', events: [4], exceptionUntil });
    }
    await placeLiveEvent(environment, 'app:20230101', '2023-01-01T00:00:00Z');
    const kept = crashAt === 'retention:rows-deleted' ? [oldEventId(4)] : [];
    expect(await start(crashAt).ended).toBe('SIGKILL');
    await forgetQueues();
    start();
    expect(await allEnded()).toMatchObject([{ outcome: 'complete' }]);
    await nothingInDoubt(environment);
    expect(await readLeft(environment)).toMatchObject({ events: kept, keys: kept, lineage: kept.length, readings: 0 });
    const batches = kept.length > 0 ? ['excepted', 'old'] : ['old'];
    expect(await listArchive(runtime)).toEqual(batches.map((batch) => archiveLayout.report(batch, 'report.json')));
    const receipts = await readReceipts(environment);
    expect(receipts.filter((receipt) => !receipt.includes('excepted')).sort()).toEqual([
      'archive raw/old/: 1 rows, 4 objects',
      `events ${OLD_LEAF}: 3 rows, 0 objects`,
      'events events_log_default: 1 rows, 0 objects',
      'keys backfill_event_checkpoint of app: 3 rows, 0 objects',
      'records lineage, accepted lines and loser records of old: 6 rows, 0 objects',
      'snapshots snapshots/old/: 0 rows, 1 objects',
    ]);
  },
  120_000,
);

it('runs although Redis forgets all, for two owners at once, and tells when it has', async () => {
  await placeExpiredBatch(environment, runtime, { batchId: 'old', events: [1, 2, 3] });
  const services = [start(), start()];
  await allEnded();
  await forgetQueues();
  await placeExpiredBatch(environment, runtime, { batchId: 'older', events: [5] });
  await environment.sql.query(`insert into analytics.backfill_retention_runs (requested_by) values ('operator')`);
  await forgetQueues();
  const all = await allEnded();
  expect((await readReceipts(environment)).filter((receipt) => receipt.startsWith('events'))).toEqual([
    `events ${OLD_LEAF}: 3 rows, 0 objects`,
    `events ${OLD_LEAF}: 1 rows, 0 objects`,
  ]);
  const last = Math.max(...all.map(({ ended_at }) => ended_at?.getTime() ?? 0)) / 1_000;
  for (const service of services) {
    const url = /"url":"([^"]+)"/.exec(service.log())?.[1];
    const metrics = await (await fetch(`${url}/metrics`)).text();
    const value = /^backfill_retention_last_run_timestamp_seconds (.+)$/m.exec(metrics)?.[1];
    expect(Number(value)).toBeGreaterThanOrEqual(last - 0.001);
  }
}, 120_000);
