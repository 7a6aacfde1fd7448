import { archiveLayout } from '@backfill/core/storage/layout';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { createStepper, type Stepper } from '../histories/stepper.ts';
import { APP_WINDOW } from '../support/app-logs.ts';
import { createConfigDir, withoutApprovals } from '../support/config-dir.ts';
import {
  erased,
  eventIdsOf,
  everythingOf,
  findAnywhere,
  forget,
  GONE,
  mixedFiles,
  pseudonymsOf,
  STAYS,
} from '../support/forgotten-world.ts';
import { nothingInDoubt } from '../support/keys-freed.ts';
import { type ServiceProcess, startServiceProcess } from '../support/service-process.ts';

// Erasures whose process dies, with the keys in a database of their own.
vi.setConfig({ testTimeout: 180_000 });
let config: Awaited<ReturnType<typeof createConfigDir>>;
beforeAll(async () => {
  config = await createConfigDir((policy) => {
    withoutApprovals(policy);
    Object.assign(policy.gates.default, { duplicate_ratio: 1, max_overlap: 1, schema: 0.1, max_newly_suppressed: 1 });
  });
});
afterAll(() => config?.remove());

let stepper: Stepper;
const running = new Set<ServiceProcess>();
beforeEach(async () => {
  stepper = await createStepper('in a database of its own', {
    BACKFILL_CONFIG_DIR: config.dir,
    BACKFILL_JOB_LOCK_MS: '1500',
  });
});
afterEach(async () => {
  for (const service of running) await service.end('SIGTERM');
  running.clear();
  await stepper?.dispose();
});

function start(crashAt?: string): ServiceProcess {
  const service = startServiceProcess('rollback', stepper.env, crashAt);
  running.add(service);
  return service;
}

async function work(batchId: string): Promise<void> {
  for (let [due] = await stepper.dueJobs(batchId); due !== undefined; [due] = await stepper.dueJobs(batchId)) {
    await stepper.run(due);
  }
}

async function submit(batchId: string, first: number): Promise<void> {
  const files = mixedFiles(first, first + 4);
  await stepper.submit({ batchId, source: 'app', window: APP_WINDOW }, { 'a.ndjson': String(files['a.ndjson']) });
}

async function publish(batchId: string, first: number): Promise<void> {
  await submit(batchId, first);
  await work(batchId);
  expect(await stepper.change(batchId, ['awaiting_publish_approval'], 'publishing')).toBe(true);
  await work(batchId);
}

const statusOf = async (batchId: string) =>
  (
    await stepper.sql.query(
      'select status, row_count::int, checksum is not null as has_checksum from analytics.backfill_batches where batch_id = $1',
      [batchId],
    )
  ).rows[0];

it.each([
  'erase:begun',
  'erase:stored',
  'erase:prepared',
  'erase:written',
  'erase:committed',
  'erase:object-moved',
  'forget:prepared',
  'forget:decided',
  'erase:keys-deleted',
])('killed at %s it is ended by the next one', async (crashAt) => {
  const { runtime, sql } = stepper;
  await publish('first', 0);
  await publish('second', 10);
  await submit('waiting', 20);
  await work('waiting');
  const gone = pseudonymsOf(runtime, GONE);
  const ids = await eventIdsOf(sql, gone);
  const before = await everythingOf(stepper, runtime, STAYS, pseudonymsOf(runtime, STAYS));
  const { erasureId } = await forget(runtime, GONE);
  expect(await start(crashAt).ended).toBe('SIGKILL');
  start();
  await erased(sql, erasureId);
  await nothingInDoubt(stepper);
  for (const batch of ['first', 'second', 'waiting']) await work(batch);
  expect(await statusOf('first')).toEqual({ status: 'published', row_count: 4, has_checksum: true });
  expect(await statusOf('waiting')).toMatchObject({ status: 'awaiting_publish_approval' });
  expect(await findAnywhere(stepper, runtime, [GONE, ...gone, ...ids])).toEqual([]);
  expect(await everythingOf(stepper, runtime, STAYS, pseudonymsOf(runtime, STAYS))).toEqual(before);
  const { rows } = await sql.query(
    `select batch_id, rows::int, objects::int from analytics.backfill_erasure_receipts where store = 'mirror' order by 1`,
  );
  expect(rows).toEqual(['first', 'second', 'waiting'].map((batch_id) => ({ batch_id, rows: 5, objects: 1 })));
});

it('waits for what is under way, and the batch ends with all of its lines', async () => {
  const { runtime, sql } = stepper;
  const gone = pseudonymsOf(runtime, GONE);
  await submit('halted', 0);
  await submit('importing', 10);
  // Up to the canary's parts: transformed before anybody is forgotten, and not imported.
  for (const batchId of ['halted', 'importing']) {
    for (
      let [due] = await stepper.dueJobs(batchId);
      due !== undefined && due.kind !== 'canary';
      [due] = await stepper.dueJobs(batchId)
    ) {
      await stepper.run(due);
    }
  }
  expect(await stepper.halt('halted')).toBe(true);
  const { erasureId } = await forget(runtime, GONE);
  start();
  const waiting = async () =>
    (
      await sql.query<{ waiting_for: string[] }>(
        'select waiting_for from analytics.backfill_erasures where erasure_id = $1',
        [erasureId],
      )
    ).rows[0]?.waiting_for;
  await vi.waitFor(async () => expect(await waiting()).toEqual(['importing']), { timeout: 60_000, interval: 200 });
  expect(await stepper.resume('halted')).toBe(true);
  await work('halted');
  await work('importing');
  await erased(sql, erasureId);
  for (const batchId of ['halted', 'importing']) {
    await work(batchId);
    expect(await statusOf(batchId)).toMatchObject({ status: 'awaiting_publish_approval', row_count: 4 });
    const { rows } = await sql.query(
      `select sum(line_count)::int as read, sum(inserted)::int as inserted, sum(suppressed)::int as suppressed,
              sum(filtered)::int as filtered from analytics.backfill_import_parts where batch_id = $1`,
      [batchId],
    );
    expect(rows).toEqual([{ read: 10, inserted: 4, suppressed: 5, filtered: 1 }]);
  }
  expect(await findAnywhere(stepper, runtime, [GONE, ...gone])).toEqual([]);
});

it('leaves nothing readable of a batch while its objects are replaced', async () => {
  const { sql } = stepper;
  await submit('waiting', 0);
  await work('waiting');
  await sql.query(
    `insert into analytics.backfill_erasure_objects (batch_id, from_key, to_key) values ('waiting', $1, null)`,
    [archiveLayout.erasing('waiting', 'attempt', '0')],
  );
  await stepper.change('waiting', ['awaiting_publish_approval'], 'verifying');
  const [due] = await stepper.dueJobs('waiting');
  if (due === undefined) throw new Error('nothing is due');
  await expect(stepper.run(due)).rejects.toThrow('objects of batch waiting are being replaced');
});
