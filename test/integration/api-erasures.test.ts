import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { readEnvironment } from '@backfill/core/config/environment';
import { createRuntime } from '@backfill/core/runtime/runtime';
import { archiveLayout } from '@backfill/core/storage/layout';
import { createRollbackService } from '@backfill/rollback/service';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createStepper, type Stepper } from '../histories/stepper.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { APP_WINDOW } from '../support/app-logs.ts';
import { runCommandLine } from '../support/command-line.ts';
import { createConfigDir, withoutApprovals } from '../support/config-dir.ts';
import { createTestEnvironment } from '../support/environment.ts';
import { findAnywhere, GONE, personLine, pseudonymsOf, STAYS } from '../support/forgotten-world.ts';
import { startServiceProcess } from '../support/service-process.ts';
import { waitFor } from '../support/wait-for.ts';

// `./backfill erase`, and the routes behind it.
vi.setConfig({ testTimeout: 180_000 });
/** No word of it is the id, so that nobody can find it by the pseudonym. */
const SPACED = 'Quendel von der Heide';

let config: Awaited<ReturnType<typeof createConfigDir>>;
let stepper: Stepper;
let api: TestApi;
let service: ReturnType<typeof createRollbackService>;
beforeAll(async () => {
  config = await createConfigDir((policy) => {
    withoutApprovals(policy);
    Object.assign(policy.gates.default, { duplicate_ratio: 1, max_overlap: 1, schema: 0.1 });
  });
  const app = await readFile(path.join(config.dir, 'sources/app.yaml'), 'utf8');
  const partner = app.replace('source: app', 'source: partner').replace('pseudonym: hmac', 'pseudonym: passthrough');
  await writeFile(path.join(config.dir, 'sources/partner.yaml'), partner);
  stepper = await createStepper('with the events', { BACKFILL_CONFIG_DIR: config.dir });
  const environment = { ...(await createTestEnvironment()), env: stepper.env, sql: stepper.sql, keys: stepper.keys };
  api = await startApi({ environment, config });
  service = createRollbackService(createRuntime(readEnvironment('rollback', stepper.env)));
  await service.start();
});
afterAll(async () => {
  await service?.stop();
  await api?.dispose();
  await stepper?.dispose();
  await config?.remove();
});

async function work(batchId: string): Promise<void> {
  for (let [due] = await stepper.dueJobs(batchId); due !== undefined; [due] = await stepper.dueJobs(batchId)) {
    await stepper.run(due);
  }
}

async function verify(batchId: string, lines: readonly string[]): Promise<void> {
  await stepper.submit(
    { batchId, source: 'app', window: APP_WINDOW },
    { 'a.ndjson': lines.map((l) => `${l}\n`).join('') },
  );
  await work(batchId);
}

const post = (subject: unknown, token = 'data_privacy_officer') => api.call('POST', '/v1/erasures', token, { subject });

const ended = (id: unknown) =>
  waitFor('the erasure to have ended', async () => {
    const { json } = await api.call('GET', `/v1/erasures/${id}`, 'data_privacy_officer');
    return json.ended_at === null ? undefined : json;
  });

const run = (args: string[], input?: string) => {
  const env = {
    ...stepper.env,
    BACKFILL_TOKEN_DATA_PRIVACY_OFFICER: 'data_privacy_officer',
    BACKFILL_API_URL: api.url,
  };
  return runCommandLine(['erase', ...args], env, input);
};

async function mirrorOf(batchId: string): Promise<string[]> {
  const { store, config: settings } = stepper.runtime;
  const key = archiveLayout.mirrorObject(batchId, 'a.ndjson');
  const bytes = Buffer.concat(await (await store.get(settings.storage.archiveBucket, key)).toArray());
  return String(bytes[0] === 0x1f ? gunzipSync(bytes) : bytes)
    .split('\n')
    .slice(0, -1);
}

it('finds by the clear id what cannot be read, and leaves what others say of it', async () => {
  const others = JSON.parse(personLine(STAYS, 3));
  const mention = JSON.stringify({ ...others, note: `saw ${SPACED}` });
  const lines = [
    personLine(SPACED, 1),
    personLine(STAYS, 2),
    `{"half": "${SPACED}`,
    mention,
    `garbage ${SPACED}s`,
    'garbage',
  ];
  await verify('spaced', lines);
  const asked = await post(SPACED);
  expect(asked.status).toBe(202);
  expect(asked.text).not.toContain('Quendel');
  expect(await ended(asked.json.erasure_id)).toMatchObject({ state: 'complete', search: 'done', problems: [] });
  expect(await mirrorOf('spaced')).toEqual(['', lines[1], '', lines[3], lines[4], lines[5]]);
  await work('spaced');
  const again = await post(SPACED);
  expect([again.status, again.json.erasure_id]).toEqual([200, asked.json.erasure_id]);
  const { receipts } = await ended(asked.json.erasure_id);
  expect(receipts).toEqual(
    expect.arrayContaining([expect.objectContaining({ store: 'mirror', batch_id: 'spaced', rows: 2 })]),
  );
  const { rows } = await api.sql.query(
    `select detail::text from analytics.backfill_audit_log where action like 'eras%'`,
  );
  expect(rows.length).toBeGreaterThan(3);
  expect(JSON.stringify(rows)).not.toMatch(/Quendel|p1_/);
});

it('holds the id in memory only: what a killed process had to search is reported, and found when it comes again', async () => {
  await verify('killed', [personLine(SPACED, 11), personLine(STAYS, 12), `{"again": "${SPACED}`]);
  const env = { ...stepper.env, BACKFILL_PORT: '0', HTTP_PORT: '0' };
  const other = startServiceProcess('api', env, 'erase:search-begun');
  const url = await waitFor('the API', async () => /"url":"([^"]+)"/.exec(other.log())?.[1]);
  const token = 'data_privacy_officer';
  await fetch(`${url}/v1/erasures`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ subject: SPACED }),
  }).catch(() => undefined);
  expect(await other.ended).toBe('SIGKILL');
  expect(other.log()).not.toContain('Quendel');
  // Nobody waits half a minute for a sign of life here.
  await api.sql.query(
    `update analytics.backfill_erasures set search_heartbeat_at = now() - interval '1 hour' where searched_at is null`,
  );
  const { rows } = await api.sql.query<{ erasure_id: string }>(
    'select min(erasure_id) as erasure_id from analytics.backfill_erasures',
  );
  const id = rows[0]?.erasure_id;
  const lost = await ended(id);
  expect(lost).toMatchObject({ state: 'incomplete', search: 'lost' });
  expect(lost.problems).toEqual(
    expect.arrayContaining([expect.stringContaining('lines of killed that cannot be read')]),
  );
  expect(await mirrorOf('killed')).toEqual(['', personLine(STAYS, 12), `{"again": "${SPACED}`]);
  await post(SPACED);
  expect(await ended(id)).toMatchObject({ state: 'complete' });
  expect(await mirrorOf('killed')).toEqual(['', personLine(STAYS, 12), '']);
  await work('killed');
  expect((await findAnywhere(stepper, stepper.runtime, pseudonymsOf(stepper.runtime, SPACED))).length).toBe(0);
});

it('is a command that reads the id where nobody sees it', async () => {
  await verify('by-command', [personLine(GONE, 21), personLine(STAYS, 22)]);
  const { code, stdout, stderr } = await run(['--subject', '-'], `${GONE}\n`);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/by-command +mirror +1 +1 /);
  expect(stdout).toMatch(/Erasure \d+ is complete\.\n$/);
  const id = /Erasure (\d+)/.exec(stdout)?.[1] ?? '';
  const json = await run(['--id', id, '--json']);
  expect(JSON.parse(json.stdout)).toMatchObject({ state: 'complete' });
  expect((await run([])).code).toBe(2);
  expect((await run(['--subject', ''])).code).toBe(2);
});

it('tells nobody the id: not in answers, queues or logs of what is wrong', async () => {
  for (const subject of ['', 'x'.repeat(513), 7, null, { id: GONE }, `${GONE}\ud800`]) {
    const { status, text } = await post(subject);
    expect(status).toBe(422);
    expect(text).not.toContain('visitor');
  }
  for (const typed of [GONE, '4711', `${GONE}/receipts`, `%20${GONE}?x=1`]) {
    const { status, text } = await api.call('GET', `/v1/erasures/${typed}`, 'data_privacy_officer');
    expect(status).toBe(404);
    expect(text).not.toMatch(/visitor|4711/);
  }
  const odd = await api.call('POST', '/v1/erasures', 'data_privacy_officer', { [GONE]: GONE });
  expect([odd.status, odd.text.includes('visitor')]).toEqual([422, false]);
  expect((await post('x'.repeat(9_000))).status).toBe(413);
  expect((await post(GONE, 'operator')).status).toBe(403);
  expect((await api.call('GET', '/v1/erasures/999', 'data_privacy_officer')).status).toBe(404);
  const redis = new Redis(stepper.env.REDIS_URL ?? '');
  const keys = await redis.keys(`${stepper.env.BACKFILL_QUEUE_PREFIX}:maintenance:erase*`);
  for (const key of keys) expect(JSON.stringify(await redis.hgetall(key))).not.toMatch(/visitor|Quendel|p1_/);
  await redis.quit();
});

it('says when to come again while a publish holds suppressions back', async () => {
  const publish = await stepper.sql.connect();
  try {
    await publish.query('begin; lock table analytics.privacy_suppressions in share mode');
    const { status, headers } = await post(STAYS);
    expect([status, headers.get('retry-after')]).toEqual([503, '10']);
  } finally {
    publish.release(true);
  }
});

it('suppresses somebody whom a source that passes ids through has in its mirror and parts only', async () => {
  // The one before is being measured anew.
  await work('by-command');
  const passed = 'partner-7a1c';
  const lines = [personLine(passed, 1), personLine(STAYS, 2), personLine(passed, 3)];
  const text = lines.map((line) => `${line}\n`).join('');
  await stepper.submit({ batchId: 'passed', source: 'partner', window: APP_WINDOW }, { 'a.ndjson': text });
  for (
    let [due] = await stepper.dueJobs('passed');
    due !== undefined && due.kind !== 'canary';
    [due] = await stepper.dueJobs('passed')
  ) {
    await stepper.run(due);
  }
  expect(await stepper.halt('passed')).toBe(true);
  const asked = await post(passed);
  expect(asked.status).toBe(202);
  expect(await ended(asked.json.erasure_id)).toMatchObject({ state: 'complete', problems: [] });
  const { rows } = await api.sql.query('select reason from analytics.privacy_suppressions where subject_id = $1', [
    passed,
  ]);
  expect(rows).toEqual([{ reason: 'erasure' }]);
  expect(await findAnywhere(stepper, stepper.runtime, [passed])).toEqual([]);
  expect(await stepper.resume('passed')).toBe(true);
  await work('passed');
  const { rows: staged } = await api.sql.query(
    `select status, row_count::int from analytics.backfill_batches where batch_id = 'passed'`,
  );
  expect(staged).toEqual([{ status: 'awaiting_publish_approval', row_count: 1 }]);
  // By now the id is stored among the suppressions only.
  const again = await post(passed);
  expect([again.status, again.json.erasure_id]).toEqual([200, asked.json.erasure_id]);
});

it('limits how often it is asked', async () => {
  const answers = await Promise.all(Array.from({ length: 40 }, () => post('')));
  // What is not valid does not count.
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([422]));
  const valid = await Promise.all(Array.from({ length: 35 }, (_, n) => post(`somebody-${n}`)));
  const refused = valid.filter(({ status }) => status === 429);
  expect(refused.length).toBeGreaterThan(0);
  expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(0);
});
