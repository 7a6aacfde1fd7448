import { readEnvironment } from '@backfill/core/config/environment';
import { prepareDatabases } from '@backfill/core/runtime/prepare-databases';
import { createRuntime, type Runtime } from '@backfill/core/runtime/runtime';
import { archiveLayout } from '@backfill/core/storage/layout';
import { expireByPolicy } from '@backfill/rollback/jobs/expire-by-policy';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createConfigDir } from '../support/config-dir.ts';
import { createTestEnvironment, KEY_LAYOUTS, type TestEnvironment } from '../support/environment.ts';
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

// What is past its time goes, all of it and nothing else. Deletions by the job itself, on what batches of 2024 have left.
let config: Awaited<ReturnType<typeof createConfigDir>>;
beforeAll(async () => {
  config = await createConfigDir();
});
afterAll(() => config.remove());

let environment: TestEnvironment;
let runtime: Runtime;
async function begin(layout: (typeof KEY_LAYOUTS)[number]) {
  environment = await createTestEnvironment(layout);
  const env = { ...environment.env, BACKFILL_CONFIG_DIR: config.dir };
  runtime = createRuntime(readEnvironment('rollback', env));
  await prepareDatabases(runtime);
}
afterEach(async () => {
  await runtime.close();
  await environment.dispose();
});

/** @param now ISO time; the clock's when absent */
const expire = (now?: string) =>
  expireByPolicy(
    runtime,
    { v: 1 },
    { signal: new AbortController().signal, ...(now !== undefined && { now: Date.parse(now) }) },
  );
const place = (batch: Parameters<typeof placeExpiredBatch>[2]) => placeExpiredBatch(environment, runtime, batch);

async function lastRun() {
  const { rows } = await environment.sql.query(
    'select outcome, problems, over_age from analytics.backfill_retention_runs order by run_id desc limit 1',
  );
  return rows[0];
}

describe.each(KEY_LAYOUTS)('with the dedup store %s', (layout) => {
  beforeEach(() => begin(layout));

  it('deletes mirrors, events, and what is about them, with a receipt for each', async () => {
    await place({ batchId: 'old', events: [1, 2] });
    await placeLiveEvent(environment, oldEventId(3), '2024-05-01T03:00:00Z');
    await expire();
    expect(await readLeft(environment)).toEqual({ events: [], keys: [], lineage: 0, lines: 0, readings: 0 });
    expect(await listArchive(runtime)).toEqual([archiveLayout.report('old', 'report.json')]);
    expect(await readReceipts(environment)).toEqual([
      'archive raw/old/: 1 rows, 4 objects',
      'snapshots snapshots/old/: 0 rows, 1 objects',
      `events ${OLD_LEAF}: 3 rows, 0 objects`,
      'keys backfill_event_checkpoint of app: 2 rows, 0 objects',
      'records lineage, accepted lines and loser records of old: 4 rows, 0 objects',
    ]);
    expect(await lastRun()).toMatchObject({ outcome: 'complete', problems: [] });
    const { rows } = await environment.sql.query(`select to_regclass('analytics.${OLD_LEAF}') as leaf`);
    expect(rows).toEqual([{ leaf: null }]);
  });

  it('keeps what an exception is about until it ends, and nothing that lies beside it', async () => {
    await place({ batchId: 'old', events: [1] });
    await place({ batchId: 'excepted', events: [2], exceptionUntil: '2030-01-01T00:00:00Z' });
    await placeLiveEvent(environment, oldEventId(3), '2024-05-01T03:00:00Z');
    await expire();
    const kept = { events: [oldEventId(2)], keys: [oldEventId(2)], lineage: 1, lines: 1, readings: 0 };
    expect(await readLeft(environment)).toEqual(kept);
    expect(await readReceipts(environment)).toContain(`events ${OLD_LEAF}: 2 rows, 0 objects`);
    expect(await listArchive(runtime)).toEqual(['excepted', 'old'].map((b) => archiveLayout.report(b, 'report.json')));
    await expire('2029-12-31T00:00:00Z');
    expect(await readLeft(environment)).toEqual(kept);
    await expire('2030-01-01T00:00:00Z');
    expect(await readLeft(environment)).toEqual({ events: [], keys: [], lineage: 0, lines: 0, readings: 0 });
    expect((await readReceipts(environment)).slice(-3)).toEqual([
      `events ${OLD_LEAF}: 1 rows, 0 objects`,
      'keys backfill_event_checkpoint of app: 1 rows, 0 objects',
      'records lineage, accepted lines and loser records of excepted: 2 rows, 0 objects',
    ]);
  });

  it('deletes what was noted of them for a rollback, and not of those that stay', async () => {
    await place({ batchId: 'old', status: 'rolled_back', events: [1, 4] });
    await place({ batchId: 'heir', events: [2] });
    await place({ batchId: 'excepted', events: [3], exceptionUntil: '2030-01-01T00:00:00Z' });
    await environment.sql.query(
      `insert into analytics.backfill_handovers (from_batch_id, from_attempt, event_id, to_batch_id, is_suppressed)
       values ('old', 1, $1, 'heir', false), ('old', 1, $2, 'excepted', false), ('old', 1, $3, null, false)`,
      [oldEventId(2), oldEventId(3), oldEventId(4)],
    );
    await environment.sql.query(
      `insert into analytics.backfill_live_losses (event_id, event_ts, schema_version)
       values ($1, '2024-05-01T02:00:00Z', '1-0-0'), ('app:20991231000000000:x', '2099-12-31T00:00:00Z', '1-0-0')`,
      [oldEventId(2)],
    );
    await expire();
    const { rows: handed } = await environment.sql.query('select event_id from analytics.backfill_handovers');
    expect(handed).toEqual([{ event_id: oldEventId(3) }]);
    const { rows: noted } = await environment.sql.query('select event_id from analytics.backfill_live_losses');
    expect(noted).toEqual([{ event_id: 'app:20991231000000000:x' }]);
    await expire('2030-01-01T00:00:00Z');
    const { rows: left } = await environment.sql.query('select event_id from analytics.backfill_handovers');
    expect(left).toEqual([]);
  });

  it('touches nothing of a batch under way', async () => {
    await place({ batchId: 'halted', status: 'halted', events: [1, 2] });
    await place({ batchId: 'old', events: [3] });
    await expire();
    expect(await readLeft(environment)).toEqual({
      ...{ events: [], keys: [oldEventId(1), oldEventId(2)] },
      ...{ lineage: 2, lines: 2, readings: 1 },
    });
    expect(await listArchive(runtime)).toEqual(
      [...archiveKeys('halted'), archiveLayout.report('old', 'report.json')].sort(),
    );
  });
});

describe('in one database', () => {
  beforeEach(() => begin('with the events'));

  it('finds nothing to do the second time', async () => {
    await place({ batchId: 'old', events: [1, 2] });
    await expire();
    const receipts = await readReceipts(environment);
    await expire();
    expect(await readReceipts(environment)).toEqual(receipts);
    expect(await lastRun()).toMatchObject({ outcome: 'complete' });
  });

  it('deletes whole days, up to the midnight of thirteen months ago', async () => {
    for (const day of ['2026-11-01', '2026-11-02']) {
      await environment.sql.query('select analytics.ensure_event_day($1)', [day]);
      await placeLiveEvent(environment, `app:${day}`, `${day}T23:59:59.999Z`);
    }
    await placeLiveEvent(environment, 'app:no-day', '2026-10-31T12:00:00Z');
    await placeLiveEvent(environment, 'app:no-day-either', '2026-11-03T00:00:00Z');
    await expire('2027-12-02T23:59:59Z');
    expect((await readLeft(environment)).events).toEqual(['app:2026-11-02', 'app:no-day-either']);
    expect(await readReceipts(environment)).toEqual([
      'events events_log_20261101: 1 rows, 0 objects',
      'events events_log_default: 1 rows, 0 objects',
    ]);
  });

  it('keeps the live rows of a batch that was halted before they were counted', async () => {
    await place({ batchId: 'uncounted', status: 'halted', rowsLive: true, events: [1] });
    await place({ batchId: 'back', status: 'rolled_back', events: [2] });
    await placeLiveEvent(environment, oldEventId(3), '2024-05-01T03:00:00Z');
    await expire();
    expect(await readLeft(environment)).toMatchObject({ events: [oldEventId(1)], keys: [oldEventId(1)], lineage: 1 });
    expect(await listArchive(runtime)).toEqual(
      [...archiveKeys('uncounted'), archiveLayout.report('back', 'report.json')].sort(),
    );
  });

  it('lets one of two owners work, and deletes nothing twice', async () => {
    await place({ batchId: 'old', events: [1, 2] });
    await Promise.all([expire(), expire(), expire()]);
    expect(new Set(await readReceipts(environment)).size).toBe(5);
    expect(await readReceipts(environment)).toHaveLength(5);
    const { rows } = await environment.sql.query('select outcome from analytics.backfill_retention_runs');
    expect(rows).toEqual([{ outcome: 'complete' }]);
  });

  it('looks again under its locks whether the day may go', async () => {
    await place({ batchId: 'back', events: [1] });
    const writer = await environment.sql.connect();
    await writer.query('begin');
    await writer.query(`lock table analytics.${OLD_LEAF} in share row exclusive mode`);
    const run = expire();
    await waitFor('the run to wait', async () => {
      const { rowCount } = await environment.sql.query(
        `select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
      );
      return rowCount === 1 || undefined;
    });
    // As a publish that was halted before its count.
    await writer.query('alter table analytics.backfill_batches disable trigger user');
    await writer.query(`update analytics.backfill_batches set status = 'halted', completed_at = null`);
    await writer.query('alter table analytics.backfill_batches enable trigger user');
    await writer.query('commit');
    writer.release();
    await run;
    expect(await readLeft(environment)).toMatchObject({ events: [oldEventId(1)], keys: [oldEventId(1)], lineage: 1 });
    expect(await lastRun()).toMatchObject({ outcome: 'incomplete' });
  });

  it('deletes nothing any more when it has lost its office', async () => {
    await place({ batchId: 'old', events: [1] });
    const before = await listArchive(runtime);
    // Keeps the run waiting for the batch, while its office ends as that of a process does which was frozen.
    const holder = await environment.sql.connect();
    await holder.query('begin');
    await holder.query(`select 1 from analytics.backfill_batches where batch_id = 'old' for update`);
    const run = expire().then(
      () => 'done',
      () => 'failed',
    );
    await waitFor('the office to end', async () => {
      const { rows } = await environment.sql.query(
        `select pg_terminate_backend(l.pid) from pg_locks l join pg_stat_activity a using (pid)
          where l.locktype = 'advisory' and a.application_name = 'backfill-rollback' and a.state = 'idle'
            and exists (select from pg_stat_activity w where w.wait_event_type = 'Lock'
                         and w.application_name = 'backfill-rollback' and w.datname = current_database())
            and a.datname = current_database()`,
      );
      return rows.length > 0 || undefined;
    });
    await holder.query('commit');
    holder.release();
    expect(await run).toBe('failed');
    expect(await listArchive(runtime)).toEqual(before);
    expect(await readReceipts(environment)).toEqual(['archive raw/old/: 0 rows, 4 objects, open']);
    await expire();
    expect(await readReceipts(environment)).toHaveLength(5);
    expect(await listArchive(runtime)).toEqual([archiveLayout.report('old', 'report.json')]);
  });

  it('puts a day off that somebody reads, and what is about it, and does the rest', async () => {
    await place({ batchId: 'old', events: [1] });
    const reader = await environment.sql.connect();
    await reader.query('begin');
    await reader.query('select count(*) from analytics.events_log');
    await expire();
    expect(await readLeft(environment)).toMatchObject({ events: [oldEventId(1)], keys: [oldEventId(1)], lineage: 1 });
    expect(await lastRun()).toMatchObject({ outcome: 'incomplete', problems: [expect.stringContaining(OLD_LEAF)] });
    expect(await listArchive(runtime)).toEqual([archiveLayout.report('old', 'report.json')]);
    await reader.query('commit');
    reader.release();
    await expire();
    expect(await readLeft(environment)).toMatchObject({ events: [], keys: [], lineage: 0 });
    expect(await lastRun()).toMatchObject({ outcome: 'complete' });
  });

  it('reports old objects of the raw bucket without their names, and leaves them', async () => {
    const { rawBucket } = runtime.config.storage;
    await place({ batchId: 'old', events: [] });
    await runtime.store.put(rawBucket, 'old/a.ndjson', Buffer.from('12345'), 'text/plain');
    await runtime.store.put(rawBucket, 'jane.doe@example.com/a.ndjson', Buffer.from('123'), 'text/plain');
    await expire();
    expect(await lastRun()).toMatchObject({ over_age: { objects: 0, oldest: null } });
    await expire(new Date(Date.now() + 91 * 86_400_000).toISOString());
    const { over_age } = await lastRun();
    expect(over_age).toMatchObject({ objects: 2, bytes: 8, inputs: [{ batch_id: 'old', objects: 1, bytes: 5 }] });
    expect(JSON.stringify(over_age)).not.toContain('jane');
    expect(await runtime.store.exists(rawBucket, 'old/a.ndjson')).toBe(true);
  });

  it('keeps loser records as long as the row they are about', async () => {
    await place({ batchId: 'winner', events: [1], exceptionUntil: '2030-01-01T00:00:00Z' });
    await place({ batchId: 'loser', events: [2] });
    await environment.sql.query(
      `insert into analytics.backfill_losers (loser_batch_id, event_id, winner_batch_id)
       values ('loser', $1, 'winner'), ('loser', $2, null)`,
      [oldEventId(1), oldEventId(3)],
    );
    const losers = async () => (await environment.sql.query('select event_id from analytics.backfill_losers')).rows;
    await expire();
    expect(await losers()).toEqual([{ event_id: oldEventId(1) }]);
    await expire('2030-01-01T00:00:00Z');
    expect(await losers()).toEqual([]);
  });

  it('lets nobody change or delete a receipt, and audits them', async () => {
    await place({ batchId: 'old', events: [1] });
    await expire();
    for (const change of [
      'update analytics.backfill_deletions set rows = rows + 1',
      'delete from analytics.backfill_deletions',
    ]) {
      await expect(environment.sql.query(change)).rejects.toMatchObject({ code: '23001' });
    }
    await expect(environment.sql.query('truncate analytics.backfill_deletions')).rejects.toMatchObject({
      code: '23001',
    });
    const { rows } = await environment.sql.query(
      `select action, detail ->> 'kind' as kind from analytics.backfill_audit_log
        where action like 'deletion%' and batch_id = 'old' order by audit_id`,
    );
    expect(rows).toEqual([
      { action: 'deletion_announced', kind: 'archive' },
      { action: 'deletion', kind: 'archive' },
      { action: 'deletion_announced', kind: 'snapshots' },
      { action: 'deletion', kind: 'snapshots' },
      { action: 'deletion_announced', kind: 'records' },
      { action: 'deletion', kind: 'records' },
    ]);
  });
});
