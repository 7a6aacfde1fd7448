import { readEnvironment } from '@backfill/core/config/environment';
import { getLastCompleteRetention } from '@backfill/core/db/queries/retention-runs';
import { withTransaction } from '@backfill/core/db/transaction';
import { createRuntime } from '@backfill/core/runtime/runtime';
import { createRollbackService } from '@backfill/rollback/service';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { startApi, type TestApi } from '../support/api.ts';
import { runCommandLine } from '../support/command-line.ts';
import { createConfigDir } from '../support/config-dir.ts';
import { createTestEnvironment, type TestEnvironment } from '../support/environment.ts';
import {
  archiveKeys,
  listArchive,
  OLD_LEAF,
  oldEventId,
  placeExpiredBatch,
  placeLiveEvent,
  readLeft,
  readReceipts,
} from '../support/expired-world.ts';
import { waitFor } from '../support/wait-for.ts';

// `./backfill retention` and the routes behind it. Each call of the command line is a process of its own.
vi.setConfig({ testTimeout: 180_000 });
let config: Awaited<ReturnType<typeof createConfigDir>>;
beforeAll(async () => {
  config = await createConfigDir();
});
afterAll(() => config.remove());

let environment: TestEnvironment;
let api: TestApi;
let service: ReturnType<typeof createRollbackService> | undefined;
beforeEach(async () => {
  environment = await createTestEnvironment();
  api = await startApi({ environment, config });
});
afterEach(async () => {
  await service?.stop();
  service = undefined;
  await api.dispose();
  await environment.dispose();
});

const place = (batch: Parameters<typeof placeExpiredBatch>[2]) => placeExpiredBatch(environment, api.context, batch);

function backfill(...args: string[]) {
  const tokens = { BACKFILL_TOKEN_OPERATOR: 'operator', BACKFILL_TOKEN_VIEWER: 'viewer' };
  return runCommandLine(['retention', ...args], { ...environment.env, ...tokens, BACKFILL_API_URL: api.url });
}

/** Starts the service, and lets it find nothing. */
async function startService(): Promise<void> {
  const env = { ...environment.env, BACKFILL_CONFIG_DIR: config.dir };
  service = createRollbackService(createRuntime(readEnvironment('rollback', env)));
  await service.start();
  await waitFor('the first run', async () => (await getLastCompleteRetention(api.context.pool)) ?? undefined);
}

describe('a dry run', () => {
  it('lists what would go and why, and what stays, and deletes nothing', async () => {
    await place({ batchId: 'old', events: [1, 2] });
    await place({ batchId: 'halted', status: 'halted', events: [3] });
    await placeLiveEvent(environment, oldEventId(4), '2024-05-01T04:00:00Z');
    const before = await readLeft(environment);
    const { code, stdout } = await backfill('--dry-run', '--json');
    expect(code).toBe(0);
    const view = JSON.parse(stdout);
    expect(view.due).toMatchObject([
      { kind: 'archive', batch_id: 'old', objects: 4, why: 'mirrored on 2024-06-01 (raw_days: 90)' },
      { kind: 'snapshots', batch_id: 'old', objects: 1 },
      { kind: 'events', what: `the partition analytics.${OLD_LEAF}`, rows: 3, precision: 'exact' },
      { kind: 'keys', what: 'dedup keys of app', rows: 2 },
      { kind: 'records', batch_id: 'old', rows: 4 },
    ]);
    expect(view.held).toMatchObject([
      { batch_id: 'halted', kinds: ['archive', 'snapshots', 'keys', 'records'], until: null },
    ]);
    expect(view).toMatchObject({ last_run_at: null, over_age: { objects: 0 } });
    const { stdout: text } = await backfill('--dry-run');
    expect(text).toMatch(/old +raw mirror, transformed parts, report samples +4 +\d+ B +mirrored on 2024-06-01/);
    expect(text).toMatch(/halted: archive, .*halted since 2024-06-01\): let it go on, or roll it back/);
    expect(await readLeft(environment)).toEqual(before);
    expect(await listArchive(api.context)).toEqual(['halted', 'old'].flatMap(archiveKeys).sort());
    expect(await readReceipts(environment)).toEqual([]);
  });

  it('tells of exceptions, and of nothing', async () => {
    expect((await backfill('--dry-run')).stdout).toBe(
      'Nothing is past its time that would go.\nNo run has been complete yet.\n',
    );
    await place({ batchId: 'excepted', events: [1], exceptionUntil: '2090-01-01T00:00:00Z' });
    await placeLiveEvent(environment, oldEventId(4), '2024-05-01T04:00:00Z');
    const { json } = await api.call('GET', '/v1/retention', 'viewer');
    expect(json.due).toMatchObject([
      { kind: 'archive' },
      { kind: 'snapshots' },
      { kind: 'events', what: `rows of analytics.${OLD_LEAF}`, rows: 1, why: expect.stringContaining('excepted stay') },
    ]);
    expect(json.held).toEqual([
      {
        batch_id: 'excepted',
        kinds: ['events', 'keys', 'records'],
        why: 'a retention exception',
        until: '2090-01-01T00:00:00.000Z',
      },
    ]);
  });
});

describe('a run', () => {
  it('deletes now, and shows the receipts', async () => {
    await startService();
    await place({ batchId: 'old', events: [1, 2] });
    const { code, stdout, stderr } = await backfill();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^Deleted:\n/);
    expect(stdout).toMatch(/old +s3:\/\/archive-\w+\/raw\/old\/ +1 +4 +\d+ B +raw_days: 90\n/);
    expect(stdout).toMatch(new RegExp(`analytics.${OLD_LEAF} +2 .*event_months: 13\n`));
    expect((await readLeft(environment)).events).toEqual([]);
    const again = await backfill('--json');
    expect(again.code).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({
      ...{ requested_by: 'operator', outcome: 'complete', problems: [], deletions: [], over_age: { objects: 0 } },
    });
    expect((await backfill()).stdout).toBe('Nothing was deleted.\n');
    const { rows } = await environment.sql.query(
      `select distinct actor from analytics.backfill_deletions
       union select actor from analytics.backfill_audit_log where action = 'retention_request'`,
    );
    expect(rows).toEqual([{ actor: 'operator' }]);
  });

  it('fails when something had to be left, and says what', async () => {
    await startService();
    await place({ batchId: 'old', events: [1] });
    const reader = await environment.sql.connect();
    await reader.query('begin');
    await reader.query('select count(*) from analytics.events_log');
    const { code, stdout, stderr } = await backfill();
    await reader.query('commit');
    reader.release();
    expect(code).toBe(1);
    expect(stdout).toMatch(new RegExp(`Left for the next run: ${OLD_LEAF}: `));
    expect(stderr).toContain('Something was left for the next run.');
    expect((await backfill()).code).toBe(0);
  });

  it('is asked for once by however many', async () => {
    const answers = await Promise.all([1, 2, 3].map(() => api.call('POST', '/v1/retention/runs', 'operator', {})));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 202]);
    expect(new Set(answers.map(({ json }) => json.run_id)).size).toBe(1);
  });
});

it('asks for the right token, and for numbers of runs that are there', async () => {
  const status = async (method: string, path: string, token?: string) => (await api.call(method, path, token)).status;
  expect(await status('GET', '/v1/retention')).toBe(401);
  expect(await status('POST', '/v1/retention/runs', 'data_privacy_officer')).toBe(403);
  expect(await status('GET', '/v1/retention/runs/9', 'viewer')).toBe(404);
  expect(await status('GET', '/v1/retention/runs/x', 'viewer')).toBe(404);
  const { json } = await api.call('GET', '/docs/json', undefined);
  const paths = json.paths as Record<string, object>;
  expect(Object.keys(paths).filter((path) => path.includes('retention'))).toEqual([
    '/v1/retention',
    '/v1/retention/runs',
    '/v1/retention/runs/{run_id}',
  ]);
  expect((await backfill('--help')).stdout).toContain('--dry-run');
  expect((await backfill('--nonsense')).code).toBe(2);
});

it('keeps a batch from going on without its mirror, and tells what to do', async () => {
  await place({ batchId: 'gone', status: 'halted', events: [] });
  const set = (status: string) =>
    withTransaction(api.context.pool, 'test', async (client) => {
      await client.query('alter table analytics.backfill_batches disable trigger user');
      await client.query(`update analytics.backfill_batches set status = $1 where batch_id = 'gone'`, [status]);
      await client.query('alter table analytics.backfill_batches enable trigger user');
    });
  await set('rolled_back');
  await environment.sql.query(
    `insert into analytics.backfill_deletions (kind, what, batch_id, attempt, rule, cut_off)
     values ('archive', 's3://x', 'gone', 1, '', now())`,
  );
  const resume = () => api.call('POST', '/v1/batches/gone/resume', 'operator');
  expect(await resume()).toMatchObject({ status: 409, text: expect.stringContaining('being deleted') });
  await environment.sql.query('update analytics.backfill_deletions set completed_at = now()');
  await set('failed');
  expect(await resume()).toMatchObject({ status: 409, text: expect.stringContaining('Roll the batch back') });
  await set('rolled_back');
  expect((await resume()).status).toBe(202);
});
