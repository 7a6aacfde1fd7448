import { getBatch } from '@backfill/core/db/queries/batch-get';
import { listErasedEvents } from '@backfill/core/db/queries/erase-stored';
import { eraseInBatch } from '@backfill/core/erasure/erase-batch';
import { keyRingOf } from '@backfill/core/runtime/keyed-runtime';
import { eraseSubject } from '@backfill/rollback/jobs/erase-subject';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, it, vi } from 'vitest';
import { createStepper, type Stepper } from '../histories/stepper.ts';
import { APP_WINDOW } from '../support/app-logs.ts';
import { createConfigDir, withoutApprovals } from '../support/config-dir.ts';
import { eventIdsOf, findAnywhere, forget, GONE, mixedFiles, personLine, STAYS } from '../support/forgotten-world.ts';
import { type LyingS3, startLyingS3 } from '../support/lying-s3.ts';

// What an erasure looks at again, and what it leaves as it is.
vi.setConfig({ testTimeout: 180_000 });
let config: Awaited<ReturnType<typeof createConfigDir>>;
let s3: LyingS3;
let stepper: Stepper;
beforeAll(async () => {
  config = await createConfigDir((policy) => {
    withoutApprovals(policy);
    Object.assign(policy.gates.default, { duplicate_ratio: 1, max_overlap: 1, schema: 1, max_newly_suppressed: 1 });
  });
  s3 = await startLyingS3(inject('servers').S3_ENDPOINT ?? '');
});
afterAll(async () => {
  await s3?.close();
  await config?.remove();
});
beforeEach(async () => {
  s3.lie = () => undefined;
  stepper = await createStepper('with the events', { BACKFILL_CONFIG_DIR: config.dir, S3_ENDPOINT: s3.endpoint });
});
afterEach(() => stepper?.dispose());

const { signal } = new AbortController();
const erase = (erasureId: number) => eraseSubject(stepper.runtime, { v: 1, erasure_id: erasureId }, { signal });

async function work(batchId: string, before?: string): Promise<void> {
  for (
    let [due] = await stepper.dueJobs(batchId);
    due !== undefined && due.kind !== before;
    [due] = await stepper.dueJobs(batchId)
  ) {
    await stepper.run(due);
  }
}

const submit = (batchId: string, text = String(mixedFiles(0, 4)['a.ndjson'])) =>
  stepper.submit({ batchId, source: 'app', window: APP_WINDOW }, { 'a.ndjson': text });

async function publish(batchId: string): Promise<void> {
  await submit(batchId);
  await work(batchId);
  expect(await stepper.change(batchId, ['awaiting_publish_approval'], 'publishing')).toBe(true);
  await work(batchId);
}

const one = async (sql: string, values: unknown[] = []) => (await stepper.sql.query(sql, values)).rows[0];
const ERASURE = 'select outcome, problems, waiting_for from analytics.backfill_erasures';
const PARTS = `select sum(event_count)::int as events, sum(suppressed)::int as suppressed, count(object_key)::int as objects
                 from analytics.backfill_import_parts`;

it('leaves the books of a part alone while the store gives half of it', async () => {
  const { runtime } = stepper;
  await submit('first');
  await work('first', 'canary');
  expect(await stepper.halt('first')).toBe(true);
  const { erasureId, pseudonyms } = await forget(runtime, GONE);
  const before = await one(PARTS);
  s3.lie = ({ method, key }) =>
    method === 'GET' && key.startsWith('transformed/') ? { endAfterBytes: 100 } : undefined;
  await expect(erase(erasureId)).rejects.toThrow('objects of first cannot be read now');
  expect(await one(PARTS)).toEqual(before);
  expect(await one(ERASURE)).toMatchObject({ outcome: null });
  s3.lie = () => undefined;
  await erase(erasureId);
  expect(await one(PARTS)).toMatchObject({ events: 4, suppressed: 5 });
  expect(await findAnywhere(stepper, runtime, [GONE, ...pseudonyms])).toEqual([]);
});

it('calls a mirror of which the store gives half neither damaged nor done', async () => {
  await submit('first');
  await work('first');
  const { erasureId } = await forget(stepper.runtime, GONE);
  s3.lie = ({ method, key }) => (method === 'GET' && key === 'raw/first/a.ndjson' ? { endAfterBytes: 200 } : undefined);
  await expect(erase(erasureId)).rejects.toThrow('objects of first cannot be read now');
  expect(await one(ERASURE)).toMatchObject({ outcome: null, problems: [] });
  expect(await one('select count(*)::int as n from analytics.backfill_erased_lines')).toEqual({ n: 0 });
});

it('goes through all stored events at once and at the end, and not each time that it waits', async () => {
  const { runtime, sql } = stepper;
  await submit('moving');
  await work('moving', 'canary');
  const { erasureId, pseudonyms } = await forget(runtime, GONE);
  const deliver = (id: string) =>
    sql.query(
      `insert into analytics.events_log (event_id, source, event_name, schema_version, event_ts, subject_id, payload)
       values ($1, 'app', 'page_viewed', '1-0-0', '2026-11-01T05:00:00Z', $2, '{}')`,
      [id, pseudonyms[0]],
    );
  const stored = async () =>
    (await sql.query('select event_id from analytics.events_log where batch_id is null order by 1')).rows.map(
      (row) => row.event_id,
    );
  await deliver('app:before');
  await expect(erase(erasureId)).rejects.toThrow('waits for 1 batches');
  expect(await stored()).toEqual([]);
  // As a writer does that does not ask who is suppressed.
  await deliver('app:meanwhile');
  await expect(erase(erasureId)).rejects.toThrow('waits for 1 batches');
  expect(await stored()).toEqual(['app:meanwhile']);
  await work('moving');
  await erase(erasureId);
  await work('moving');
  expect(await stored()).toEqual([]);
  expect((await one(ERASURE)).outcome).not.toBeNull();
});

it.each([
  ['the mirror', `update analytics.backfill_files set mirror_size = 1, mirror_sha256 = 'x'`, 'the mirror of first'],
  [
    'a part',
    `update analytics.backfill_import_parts set object_key = object_key || 'x'`,
    'parts or snapshots of first',
  ],
  ['a snapshot', `update analytics.backfill_publishes set snapshot_path = 'x'`, 'parts or snapshots of first'],
])('changes nothing where %s is another one by the time of its transaction', async (_what, change, message) => {
  const { runtime } = stepper;
  await publish('first');
  const { erasureId, pseudonyms } = await forget(runtime, GONE);
  const batch = await getBatch(runtime.pool, 'first');
  if (batch === undefined) throw new Error('no batch');
  const people = new Map(pseudonyms.map((name) => [name, erasureId]));
  const { pool, store, config: settings } = runtime;
  const keys = keyRingOf(settings);
  await expect(
    eraseInBatch(
      { pool, store, config: settings, keys, people, signal },
      { batch, erasureId, pseudonyms, hold: async (client) => void (await client.query(change)) },
    ),
  ).rejects.toThrow(message);
  expect(await one('select count(*)::int as n from analytics.backfill_erased_lines')).toEqual({ n: 0 });
  expect(await one('select count(*)::int as n from analytics.events_log where deleted_at is null')).toEqual({ n: 8 });
});

it('keeps the keys of events that are still live', async () => {
  const { runtime, sql } = stepper;
  await publish('first');
  const { erasureId, pseudonyms } = await forget(runtime, GONE);
  const ids = (await eventIdsOf(sql, pseudonyms)).sort();
  await sql.query(
    `insert into analytics.backfill_erasure_events (erasure_id, event_id, batch_id) select $1, unnest($2::text[]), 'first'`,
    [erasureId, ids],
  );
  await sql.query(`update analytics.events_log set deleted_at = now() where event_id = $1`, [ids[0]]);
  expect(await listErasedEvents(sql, erasureId, '', 10)).toEqual(ids.slice(0, 1));
});

it('has a batch measured and signed anew when all that it had of a person was an id in what a gate says', async () => {
  const { runtime, sql } = stepper;
  await publish('first');
  await submit('other', `${personLine(STAYS, 40)}\n`);
  await work('other');
  const { erasureId, pseudonyms } = await forget(runtime, GONE);
  const [id] = await eventIdsOf(sql, pseudonyms);
  const client = await sql.connect();
  try {
    await client.query('begin; set local session_replication_role = replica');
    await client.query(
      `update analytics.backfill_gate_results set detail = detail || jsonb_build_object('examples', jsonb_build_array($1::text))
        where batch_id = 'other' and gate = 'overlap'`,
      [id],
    );
    await client.query('commit');
  } finally {
    client.release(true);
  }
  await erase(erasureId);
  const status = () => one(`select status from analytics.backfill_batches where batch_id = 'other'`);
  expect(await status()).toEqual({ status: 'verifying' });
  await work('other');
  expect(await status()).toEqual({ status: 'awaiting_publish_approval' });
  expect(await findAnywhere(stepper, runtime, [String(id)])).toEqual([]);
});
