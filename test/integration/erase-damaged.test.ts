import { hash } from 'node:crypto';
import { type BatchRow, getBatch } from '@backfill/core/db/queries/batch-get';
import { holdBatchAtRest } from '@backfill/core/db/queries/batch-hold-at-rest';
import { withTransaction } from '@backfill/core/db/transaction';
import { archiveLayout } from '@backfill/core/storage/layout';
import { eraseSubject } from '@backfill/rollback/jobs/erase-subject';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { createStepper, type Stepper } from '../histories/stepper.ts';
import { APP_WINDOW } from '../support/app-logs.ts';
import { createConfigDir, withoutApprovals } from '../support/config-dir.ts';
import { forget, GONE, mixedFiles } from '../support/forgotten-world.ts';

// Objects of a published batch that cannot be read hold nothing else up.
vi.setConfig({ testTimeout: 180_000 });
let config: Awaited<ReturnType<typeof createConfigDir>>;
let stepper: Stepper;
beforeAll(async () => {
  config = await createConfigDir((policy) => {
    withoutApprovals(policy);
    Object.assign(policy.gates.default, { duplicate_ratio: 1, max_overlap: 1, schema: 0.1, max_newly_suppressed: 1 });
  });
});
afterAll(() => config?.remove());
beforeEach(async () => {
  stepper = await createStepper('with the events', { BACKFILL_CONFIG_DIR: config.dir });
});
afterEach(() => stepper?.dispose());

async function work(): Promise<void> {
  for (let [due] = await stepper.dueJobs('first'); due !== undefined; [due] = await stepper.dueJobs('first')) {
    await stepper.run(due);
  }
}

it('takes the rows of the person out when mirror and samples are damaged', async () => {
  const { runtime, sql } = stepper;
  const { store } = runtime;
  const bucket = runtime.config.storage.archiveBucket;
  await stepper.submit(
    { batchId: 'first', source: 'app', window: APP_WINDOW },
    { 'a.ndjson': String(mixedFiles(0, 4)['a.ndjson']) },
  );
  await work();
  expect(await stepper.change('first', ['awaiting_publish_approval'], 'publishing')).toBe(true);
  await work();
  const bad = Buffer.from('{}');
  // As if it could not be decompressed.
  await sql.query(`update analytics.backfill_files set compression = 'gzip'`);
  await store.put(bucket, archiveLayout.samples('first', hash('sha256', bad, 'hex')), bad, 'application/json');

  const { erasureId, pseudonyms } = await forget(runtime, GONE);
  await eraseSubject(runtime, { v: 1, erasure_id: erasureId }, { signal: new AbortController().signal });

  const { rows: live } = await sql.query(
    `select count(*)::int as n from analytics.events_log where subject_id = any ($1)`,
    [pseudonyms],
  );
  expect(live).toEqual([{ n: 0 }]);
  const { rows: books } = await sql.query(
    `select b.row_count::int, p.published::int, (select count(*)::int from analytics.backfill_erased_lines) as emptied,
            (select count(*)::int from analytics.backfill_erasure_batches where erased_at is not null) as marked
       from analytics.backfill_batches b join analytics.backfill_publishes p using (batch_id)`,
  );
  expect(books).toEqual([{ row_count: 4, published: 4, emptied: 0, marked: 0 }]);
  const { rows: erasures } = await sql.query('select outcome, problems from analytics.backfill_erasures');
  expect(erasures).toMatchObject([
    {
      outcome: 'incomplete',
      problems: [expect.stringContaining('first: objects stayed as they were'), expect.anything()],
    },
  ]);
});

it('gives no new checksum to a mirror that somebody has changed', async () => {
  const { runtime, sql } = stepper;
  const { store } = runtime;
  const bucket = runtime.config.storage.archiveBucket;
  const text = String(mixedFiles(0, 4)['a.ndjson']);
  await stepper.submit({ batchId: 'first', source: 'app', window: APP_WINDOW }, { 'a.ndjson': text });
  await work();
  const changed = Buffer.from(text.replace('Page', 'Pace'));
  expect(changed.equals(Buffer.from(text))).toBe(false);
  await store.put(bucket, archiveLayout.mirrorObject('first', 'a.ndjson'), changed, 'text/plain');
  const { erasureId } = await forget(runtime, GONE);
  await eraseSubject(runtime, { v: 1, erasure_id: erasureId }, { signal: new AbortController().signal });
  const { rows } = await sql.query(
    'select e.outcome, f.mirror_sha256 from analytics.backfill_erasures e, analytics.backfill_files f',
  );
  expect(rows).toEqual([{ outcome: 'incomplete', mirror_sha256: null }]);
});

it('lists an amended mirror as it is when the job that amended it is run again', async () => {
  const { runtime, sql } = stepper;
  await stepper.submit(
    { batchId: 'first', source: 'app', window: APP_WINDOW },
    { 'a.ndjson': String(mixedFiles(0, 4)['a.ndjson']) },
  );
  await forget(runtime, GONE);
  const [plan] = await stepper.dueJobs('first');
  if (plan !== undefined) await stepper.run(plan);
  const [mirror] = await stepper.dueJobs('first');
  if (mirror?.kind !== 'mirror') throw new Error('no mirror is due');
  await sql.query(
    `create function analytics.test_die() returns trigger language plpgsql as $$ begin raise exception 'died'; end $$`,
  );
  await sql.query(
    `create trigger test_die before update on analytics.backfill_batches for each row when (new.status = 'canary')
     execute function analytics.test_die()`,
  );
  await expect(stepper.run(mirror)).rejects.toThrow('died');
  await sql.query('drop trigger test_die on analytics.backfill_batches');
  await stepper.run(mirror);
  const key = archiveLayout.manifest('first');
  const chunks = await (await runtime.store.get(runtime.config.storage.archiveBucket, key)).toArray();
  expect(JSON.parse(String(Buffer.concat(chunks)))).toMatchObject({
    manifest_version: 2,
    objects: [{ erased_lines: 5 }],
  });
});

it('completes no proof of a rollback when it amends the examples', async () => {
  const { sql } = stepper;
  await stepper.submit(
    { batchId: 'first', source: 'app', window: APP_WINDOW },
    { 'a.ndjson': String(mixedFiles(0, 4)['a.ndjson']) },
  );
  await work();
  expect(await stepper.rollBack('first', 'tombstone')).toBe(true);
  await work();
  const completed = async () =>
    (await sql.query(`select count(*)::int as n from analytics.backfill_audit_log where action = 'rollback_completed'`))
      .rows[0];
  const before = await completed();
  const { rowCount } = await sql.query(`update analytics.backfill_rollbacks set snapshot = '{"since_examples": []}'`);
  expect(rowCount).toBe(1);
  expect(await completed()).toEqual(before);
});

it('holds a batch only as it was found', async () => {
  const { runtime } = stepper;
  await stepper.submit(
    { batchId: 'first', source: 'app', window: APP_WINDOW },
    { 'a.ndjson': String(mixedFiles(0, 4)['a.ndjson']) },
  );
  await work();
  const found = await getBatch(runtime.pool, 'first');
  if (found === undefined) throw new Error('no batch');
  const hold = (batch: BatchRow) => withTransaction(runtime.pool, 'test', (client) => holdBatchAtRest(client, batch));
  expect(await hold(found)).toBeDefined();
  expect(await hold({ ...found, status: 'published' })).toBeUndefined();
  expect(await hold({ ...found, epoch: found.epoch - 1 })).toBeUndefined();
});
