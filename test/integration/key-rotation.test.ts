import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { withoutApprovals } from '../support/config-dir.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';

const OLD = 'the secret of all years before';
const NEW = 'the secret of November and later';
/** Berlin's midnight, which the second key begins with. */
const ROTATED_AT = '2026-10-31T23:00:00Z';
const pipelines: Pipeline[] = [];

function line(address: string, time: string): string {
  return `${address} - - [${time} +0000] "GET /a HTTP/1.1" 200 5 "-" "curl/8.0"\n`;
}

/** A pipeline with its own salts on a database of its own. */
async function start(salts: string): Promise<Pipeline> {
  const file = path.join(dir, `salts-${pipelines.length}`);
  await writeFile(file, salts, { mode: 0o600 });
  const pipeline = await startPipeline({ env: { ANALYTICS_SALT_FILE: file } });
  pipelines.push(pipeline);
  await pipeline.config.editPolicy((policy) => {
    withoutApprovals(policy);
    Object.assign(policy, {
      privacy: { future_skew_minutes: 60, key_periods: [{ version: 1 }, { version: 2, from: '2026-11-01' }] },
    });
  });
  return pipeline;
}

async function run(pipeline: Pipeline, batchId: string, start: string, end: string, body: string) {
  await pipeline.upload(batchId, { 'a.log': body });
  await pipeline.submit({ batchId, source: 'web-access', window: { start, end } });
  return pipeline.rest(batchId);
}

const rows = async (pipeline: Pipeline, sql: string) => (await pipeline.sql.query(sql)).rows;
const AROUND = line('192.0.2.7', '31/Oct/2026:22:59:59') + line('192.0.2.7', '31/Oct/2026:23:00:00');
let pipeline: Pipeline;
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'backfill-salts-'));
  pipeline = await start(`1: ${OLD}\n2: ${NEW}`);
});
afterAll(async () => {
  for (const started of pipelines) await started.dispose();
  await rm(dir, { recursive: true, force: true });
});

it('takes the key of the event’s time, and pins the check value of each key that a window needs', async () => {
  const batch = await run(pipeline, 'around', '2026-10-31T00:00:00Z', '2026-11-01T00:00:00Z', AROUND);
  expect(batch.status).toBe('awaiting_publish_approval');
  const staged = await rows(
    pipeline,
    `select left(subject_id, 3) as key, event_ts < '${ROTATED_AT}' as before
       from analytics.events_backfill_staging where batch_id = 'around' order by event_ts`,
  );
  expect(staged).toEqual([
    { key: 'p1_', before: true },
    { key: 'p2_', before: false },
  ]);
  const [known] = await rows(
    pipeline,
    `select (select jsonb_object_agg(key_version, key_check) from analytics.privacy_key_checks) as stored,
            plan -> 'recipe' -> 'keyChecks' as pinned
       from analytics.backfill_plans where batch_id = 'around'`,
  );
  expect(Object.keys(known.stored)).toEqual(['1', '2']);
  expect(known.pinned).toEqual(known.stored);
});

it('refuses another key under a known version, and a window whose key is gone', async () => {
  await pipeline.sql.query(`update analytics.privacy_key_checks set key_check = 'another' where key_version = 2`);
  const other = await run(pipeline, 'other', '2026-11-01T00:00:00Z', '2026-11-02T00:00:00Z', AROUND);
  expect([other.status, other.status_reason]).toEqual(['failed', expect.stringContaining('another key version 2')]);
  expect(other.status_reason).not.toContain(NEW);
  const young = await start(`{"2": "${NEW}"}`);
  const gone = await run(young, 'gone', '2026-10-31T00:00:00Z', '2026-11-02T00:00:00Z', AROUND);
  expect([gone.status, gone.status_reason]).toEqual(['failed', expect.stringContaining('no key version 1')]);
  const fine = await run(young, 'fine', '2026-10-31T23:00:00Z', '2026-11-02T00:00:00Z', AROUND);
  expect(fine.status).toBe('awaiting_publish_approval');
});

it('quarantines what comes from further in the future than the policy allows', async () => {
  const inMinutes = (minutes: number) => {
    const [day, time] = new Date(Date.now() + minutes * 60_000).toISOString().split('T');
    const [year, month, date] = (day ?? '').split('-');
    const name = new Date(`${year}-${month}-01T00:00:00Z`).toLocaleString('en', { month: 'short', timeZone: 'UTC' });
    return `${date}/${name}/${year}:${time?.slice(0, 8)}`;
  };
  const end = new Date(Date.now() + 3_600_000 * 48).toISOString();
  const body = line('192.0.2.7', inMinutes(30)) + line('192.0.2.7', inMinutes(90));
  const young = pipelines[1] as Pipeline;
  const batch = await run(young, 'future', '2026-11-01T00:00:00Z', end, body);
  expect(batch.status).toBe('awaiting_publish_approval');
  expect(
    await rows(young, `select line_no::int, reason from analytics.backfill_quarantine where batch_id = 'future'`),
  ).toEqual([{ line_no: 2, reason: 'time: in_the_future' }]);
});
