import { readReportJson } from '@backfill/api/read-report';
import { withTransaction } from '@backfill/core/db/transaction';
import { archiveLayout } from '@backfill/core/storage/layout';
import { expireByPolicy } from '@backfill/rollback/jobs/expire-by-policy';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createStepper, type Stepper } from '../histories/stepper.ts';
import { eventLine, WINDOW } from '../support/app-events.ts';
import { createConfigDir, withoutApprovals } from '../support/config-dir.ts';
import { listArchive, placeLiveEvent, readReceipts } from '../support/expired-world.ts';

// Batches that came all their way, a year and more later.
vi.setConfig({ testTimeout: 180_000 });

/** Thirteen months after the day of the events; exceptions end later. */
const LATER = '2027-12-02T00:00:00Z';
const EXCEPTION = { retention_exception: { why: 'audit', until: '2028-06-01T00:00:00Z' } };
const NEXT_DAY = { start: '2026-11-02T00:00:00Z', end: '2026-11-03T00:00:00Z' };

let config: Awaited<ReturnType<typeof createConfigDir>>;
let stepper: Stepper;
beforeAll(async () => {
  config = await createConfigDir(withoutApprovals);
  stepper = await createStepper('in a database of its own', { BACKFILL_CONFIG_DIR: config.dir });
});
afterAll(async () => {
  await stepper?.dispose();
  await config?.remove();
});

async function work(batchId: string): Promise<void> {
  for (let [due] = await stepper.dueJobs(batchId); due !== undefined; [due] = await stepper.dueJobs(batchId)) {
    await stepper.run(due);
  }
}

async function verify(batchId: string, events: readonly number[], request: Record<string, unknown> = {}) {
  const text = events.map((event) => `${eventLine(event)}\n`).join('');
  await stepper.submit({ batchId, source: 'app', window: WINDOW, request }, { 'a.ndjson': text });
  await work(batchId);
}

async function publish(...batch: Parameters<typeof verify>): Promise<void> {
  const [batchId] = batch;
  await verify(...batch);
  expect(await stepper.change(batchId, ['awaiting_publish_approval'], 'publishing')).toBe(true);
  await work(batchId);
}

const expire = (now: string) =>
  expireByPolicy(stepper.runtime, { v: 1 }, { signal: new AbortController().signal, now: Date.parse(now) });

/** How many events, keys, lineage and accepted lines each batch has. */
async function owned() {
  const count = async (pool: Stepper['sql'], table: string) => {
    const { rows } = await pool.query<{ batch_id: string | null; n: number }>(
      `select batch_id, count(*)::int as n from analytics.${table} group by 1 order by 1 nulls last`,
    );
    return Object.fromEntries(rows.map(({ batch_id, n }) => [batch_id ?? 'live', n]));
  };
  return {
    events: await count(stepper.sql, 'events'),
    keys: await count(stepper.keys, 'backfill_event_checkpoint'),
    lineage: await count(stepper.sql, 'backfill_lineage'),
    lines: await count(stepper.sql, 'backfill_event_checkpoint_raw'),
  };
}

it('leaves exceptions and batches under way, a neighbouring day, and reports that say what is gone', async () => {
  await publish('plain', [0, 1, 2]);
  await publish('excepted', [3, 4], EXCEPTION);
  await verify('waiting', [5]);
  await stepper.sql.query('select analytics.ensure_event_day($1)', [NEXT_DAY.start]);
  await placeLiveEvent(stepper, 'app:live', WINDOW.start);
  await placeLiveEvent(stepper, 'app:next', NEXT_DAY.start);
  await withTransaction(stepper.runtime.pool, 'test', (client) =>
    client.query(
      `update analytics.backfill_batches set completed_at = now() - interval '25 hours' where batch_id = 'plain'`,
    ),
  );
  const before = await owned();
  const objects = await listArchive(stepper.runtime);

  await expire('2027-12-01T23:59:59Z');
  // Raw data is past its 90 days, but the day is not over yet that is 13 months old.
  expect(await owned()).toEqual(before);
  expect(await readReceipts(stepper)).toContain('staging events_backfill_staging_1: 3 rows, 0 objects');
  const left = await listArchive(stepper.runtime);
  expect(left).toEqual(
    objects.filter((key) => key.includes('/waiting/') || (key.startsWith('reports/') && !key.includes('/samples-'))),
  );
  expect(left).toContain(archiveLayout.report('plain', 'report.html'));
  const report = JSON.parse(String(await readReportJson(stepper.runtime, 'plain')));
  expect(report.samples.state).toBe('expired or erased');

  await expire(LATER);
  const kept = { excepted: 2, waiting: 1 };
  expect(await owned()).toEqual({ events: { excepted: 2, live: 1 }, keys: kept, lineage: kept, lines: kept });

  // What has expired is nobody's: who has an exception may bring it again, under the same ids.
  await publish('again', [0, 1, 2], EXCEPTION);
  expect((await owned()).events).toEqual({ again: 3, excepted: 2, live: 1 });

  await expire('2028-06-01T00:00:00Z');
  const waits = { waiting: 1 };
  // The next day went meanwhile, too.
  expect(await owned()).toEqual({ events: {}, keys: waits, lineage: waits, lines: waits });
  expect(await stepper.sql.query(`select to_regclass('analytics.events_log_20261101') as leaf`)).toMatchObject({
    rows: [{ leaf: null }],
  });
  const receipts = await readReceipts(stepper);
  expect(receipts.filter((receipt) => receipt.startsWith('events'))).toEqual([
    'events events_log_20261101: 4 rows, 0 objects',
    'events events_log_20261101: 5 rows, 0 objects',
    'events events_log_20261102: 1 rows, 0 objects',
  ]);
  expect(receipts.filter((receipt) => receipt.includes('open'))).toEqual([]);
});
