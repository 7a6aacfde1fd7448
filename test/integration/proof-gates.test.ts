import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { withTransaction } from '@backfill/core/db/transaction';
import { changeStatus } from '@backfill/core/dispatch/change-status';
import { archiveLayout } from '@backfill/core/storage/layout';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createKpiWorld, type KpiWorld, LOST_WINDOW, lostLines, references } from '../support/kpi-world.ts';
import { waitFor } from '../support/wait-for.ts';

// Volume, freshness and ids, and what becomes of gates whose query fails.
let world: KpiWorld;
beforeAll(async () => {
  world = await createKpiWorld();
});
afterAll(() => world.dispose());

const run = (batchId: string, lines = lostLines(batchId), request: object = {}) =>
  world.run(batchId, { lines, request: { references: references(), ...request } });

describe('volume', () => {
  it('fails by unreadable lines, and passes with as many as are allowed', async () => {
    const lines = lostLines('unreadable');
    await run('readable', [...lostLines('readable'), ...Array.from({ length: 3 }, () => 'not json')]);
    expect(await world.failedGates('readable')).toEqual([]);
    const batch = await run('unreadable', [...lines, ...Array.from({ length: 4 }, () => 'not json')]);
    expect(await world.failedGates('unreadable')).toEqual(['volume']);
    expect(batch.status_reason).toContain(
      '157 events were expected by the balance, and 4 are missing without a reason',
    );
  });

  it('fails by the submitter’s own count, of too few and of too many', async () => {
    await run('exact', undefined, { expected_events: 153 });
    expect(await world.failedGates('exact')).toEqual([]);
    await run('few', undefined, { expected_events: 160 });
    expect(await world.failedGates('few')).toEqual(['volume']);
    await run('many', undefined, { expected_events: 100 });
    expect(await world.failedGates('many')).toEqual(['volume']);
    const { volume } = await world.gates('many');
    expect(volume?.detail).toMatchObject({ expected: 100, expected_from: 'submission', surplus: 53 });
  });

  it('shows what people who objected explain, and does not count it', async () => {
    const lines = lostLines('objected');
    await run('objected-before', lines.slice(0, 1));
    await world.sql.query(
      `insert into analytics.privacy_suppressions (subject_id, reason)
       select distinct subject_id, 'objection' from analytics.events_backfill_staging where batch_id = 'objected-before'`,
    );
    await run('objected', lines);
    expect(await world.failedGates('objected')).toEqual([]);
    const { volume } = await world.gates('objected');
    expect(volume).toMatchObject({ observed: 0, detail: { missing: 2, explained: { suppressed: 2 } } });
  });

  it('finds events that somebody has booked as unreadable', async () => {
    await run('booked');
    const failed = await world.verifyAfter(
      'booked',
      `update analytics.backfill_import_parts set inserted = inserted - 10, quarantined = quarantined + 10,
              event_count = event_count - 10 where batch_id = $1`,
    );
    expect(failed).toEqual(['balance', 'volume']);
  });
});

describe('freshness', () => {
  it('fails when the log ends before the window does', async () => {
    const batch = await run('ended', lostLines('ended').slice(0, -1));
    expect(await world.failedGates('ended')).toEqual(['freshness']);
    expect(batch.status_reason).toMatch(/freshness: [\d.]+ observed, 30 allowed: the window ends at 2026-11-04T23:00/);
    expect((await world.gates('ended')).freshness?.observed).toBeGreaterThan(30);
  });

  it('finds that the last events were taken out', async () => {
    await run('shortened');
    const last = `(select max(event_ts) from analytics.events_backfill_staging where batch_id = $1)`;
    const failed = await world.verifyAfter(
      'shortened',
      `delete from analytics.events_backfill_staging where batch_id = $1 and event_ts = ${last}`,
    );
    expect(failed).toContain('freshness');
  });

  it('takes live events of the window too', async () => {
    await world.sql.query(
      `insert into analytics.events (event_id, source, event_name, schema_version, event_ts, payload)
       select analytics.event_id('app', at, '{}'), 'app', 'page_viewed', '1-0-0', at, '{}'
         from (values (timestamptz '2026-11-04T22:45Z')) as late (at)`,
    );
    await run('live-end', lostLines('live-end').slice(0, -1));
    expect((await world.gates('live-end')).freshness).toMatchObject({ passed: true, observed: 15 });
    await world.sql.query(`update analytics.events_log set deleted_at = now() where event_ts = '2026-11-04T22:45Z'`);
  });
});

describe('ids', () => {
  it('that are live at another time, in another partition, would be live twice', async () => {
    await run('elsewhere');
    const failed = await world.verifyAfter(
      'elsewhere',
      `insert into analytics.events_log (event_id, source, event_name, schema_version, event_ts, session_id, payload)
       select event_id, source, event_name, schema_version, event_ts + interval '40 days', session_id, payload
         from analytics.events_backfill_staging where batch_id = $1 limit 1`,
    );
    expect(failed).toEqual(['identity']);
    await world.sql.query(`update analytics.events_log set deleted_at = now() where event_ts > '2026-12-01'`);
  });

  it('that are live twice already are found', async () => {
    await run('twice');
    const copy = (interval: string) => `
      insert into analytics.events_log (event_id, source, event_name, schema_version, event_ts, payload)
      select event_id, source, event_name, schema_version, event_ts + interval '${interval}', payload
        from analytics.events where source = 'app' and batch_id is null
         and event_ts >= '${LOST_WINDOW.start}' and event_ts < '${LOST_WINDOW.end}' order by event_id limit 1`;
    expect(
      await world.verifyAfter('twice', copy('40 days').replace('where', 'where $1::text is not null and')),
    ).toEqual(['identity']);
    const { identity } = await world.gates('twice');
    expect(identity?.detail).toMatchObject({ problems: 0, repeated: 1 });
    await world.sql.query(`update analytics.events_log set deleted_at = now() where event_ts > '2026-12-01'`);
  });

  it('that live ingestion delivers meanwhile are overlap', async () => {
    await run('meanwhile');
    const failed = await world.verifyAfter(
      'meanwhile',
      `insert into analytics.events_log (event_id, source, event_name, schema_version, event_ts, session_id, subject_id, payload)
       select event_id, source, event_name, schema_version, event_ts, session_id, subject_id, payload
         from analytics.events_backfill_staging where batch_id = $1 limit 1`,
    );
    expect(failed).toEqual(['duplicates', 'overlap']);
    await world.sql.query(
      `update analytics.events_log set deleted_at = now() where event_id in (
         select event_id from analytics.events_backfill_staging where batch_id = 'meanwhile')`,
    );
  });
});

describe('a gate whose query', () => {
  const write = (sql: string) => writeFile(path.join(world.config.dir, 'kpi/daily_active_sessions.sql'), sql);
  const withTimeout = (seconds: number) =>
    world.config.editPolicy((policy) => {
      policy.kpi.timeout_seconds = seconds;
    });
  afterEach(() => withTimeout(120));

  it.each([
    [
      'divides by zero',
      'select current_date as day, 1 / count(*) filter (where false) as value from kpi_events',
      /SQLSTATE 22012/,
    ],
    ['quotes the data', 'select current_date as day, event_name::int as value from kpi_events', /SQLSTATE 22P02/],
    ['takes too long', 'select current_date as day, 1 as value from kpi_events, pg_sleep(30)', /took longer/],
    [
      'writes',
      `select current_date as day, 1 as value from kpi_events, analytics.ensure_event_day('2030-01-01')`,
      /tries to write/,
    ],
    [
      'wants to be allowed to',
      `select current_date as day, 1 as value from kpi_events, set_config('transaction_read_only', 'off', true)`,
      /SQLSTATE 25001/,
    ],
    ['gives a day twice', 'select current_date as day, 1 as value from kpi_events', /more than once/],
    [
      'gives no number',
      `select current_date as day, 'NaN'::float8 as value from kpi_events limit 1`,
      /no number from 0 on/,
    ],
    [
      'gives less than nothing',
      `select current_date as day, -1 as value from kpi_events limit 1`,
      /no number from 0 on/,
    ],
    ['gives no day', `select null as day, 1 as value from kpi_events limit 1`, /without a day/],
  ])('%s has failed, with the error and without data; the others are measured', async (name, sql, error) => {
    const batchId = name.replaceAll(' ', '-');
    await write(sql);
    if (name === 'takes too long') await withTimeout(1);
    const batch = await run(batchId);
    expect(await world.failedGates(batchId)).toEqual(['daily_active_sessions']);
    const { daily_active_sessions: sessions, ...others } = await world.gates(batchId);
    expect(sessions).toMatchObject({ observed: null, detail: { error: expect.stringMatching(error) } });
    expect(JSON.stringify(sessions?.detail)).not.toContain('signup');
    expect(Object.keys(others)).toHaveLength(10);
    expect(batch.status_reason).toMatch('daily_active_sessions: could not be measured');
    const { store, config } = world.runtime;
    const report = await store.get(config.storage.archiveBucket, archiveLayout.report(batchId, 'report.json'));
    // As it was written first, or again for the status that came of it.
    expect(['verifying', 'gates_failed']).toContain(JSON.parse(await text(report)).status);
  });

  it.each([
    ['names what is not there', 'select day, sesions as value from kpi_events', 'column "day" does not exist (42703)'],
    ['is no SQL', 'select select from kpi_events', 'syntax error at or near "select" (42601)'],
    ['gives no value', 'select current_date as day from kpi_events', 'column definition.value does not exist (42703)'],
    ['gives no dates', 'select 1 as day, 1 as value from kpi_events', 'cannot cast type integer to date (42846)'],
    [
      'writes at once',
      'with kpi_events as (delete from analytics.events returning 1) select 1',
      'must be at the top level (0A000)',
    ],
  ])('%s is not even planned', async (name, sql, error) => {
    await write(sql);
    const batch = await run(name.replaceAll(' ', '-'));
    expect(batch.status).toBe('failed');
    expect(batch.status_reason).toContain('kpi/daily_active_sessions.sql cannot be run: ');
    expect(batch.status_reason).toContain(error);
  });

  it('is about the rows themselves has failed too, and nobody can sign rows that were not read', async () => {
    const definition = path.join(import.meta.dirname, '../../examples/config/kpi/daily_active_sessions.sql');
    await write(await readFile(definition, 'utf8'));
    await run('unread');
    const rename = (from: string, to: string) =>
      world.sql.query(`alter table analytics.events_backfill_staging rename column ${from} to ${to}`);
    await rename('schema_version', 'version');
    try {
      await world.change('unread', 'awaiting_publish_approval', 'verifying');
      const batch = await world.rest('unread', ['gates_failed', 'halted']);
      expect(batch).toMatchObject({ status: 'gates_failed', rows_digest: null, checksum: null, row_count: null });
      expect(await world.failedGates('unread')).toEqual(['identity', 'sample', 'schema']);
      expect(batch.status_reason).toContain('column s.schema_version does not exist (42703)');
    } finally {
      await rename('version', 'schema_version');
    }
    await world.change('unread', 'gates_failed', 'verifying');
    expect((await world.rest('unread')).status).toBe('awaiting_publish_approval');
  });

  it('runs when the batch is halted ends with it, and fails nothing', async () => {
    await write('select current_date as day, 1 as value from kpi_events, pg_sleep(60)');
    await world.upload('stopped', {
      'a.ndjson': lostLines('stopped')
        .map((line) => `${line}\n`)
        .join(''),
    });
    await world.submit({
      batchId: 'stopped',
      source: 'app',
      window: LOST_WINDOW,
      request: { references: references() },
    });
    // Not where the plan only has it explained.
    const sleeping = () =>
      world.sql.query(
        `select 1 from pg_stat_activity
          where query like '%pg_sleep(60)%' and wait_event = 'PgSleep' and pid <> pg_backend_pid()`,
      );
    await waitFor('the query to run', async () => ((await sleeping()).rowCount ? true : undefined));
    const isHalted = await withTransaction(world.runtime.pool, 'test', (client) =>
      changeStatus(client, { batchId: 'stopped', from: ['verifying'], to: 'halted' }),
    );
    expect(isHalted).toBe(true);
    await waitFor('the query to end', async () => ((await sleeping()).rowCount ? undefined : true));
    expect((await world.rest('stopped')).status).toBe('halted');
    expect(await world.gates('stopped')).toEqual({});
  });
});

it('a plan from before these gates is judged by what it pins', async () => {
  await rm(path.join(world.config.dir, 'kpi/daily_active_sessions.sql'));
  await run('older');
  expect(
    await world.verifyAfter(
      'older',
      `update analytics.backfill_plans set plan = plan #- '{policy,kpi}' #- '{policy,gates,volume}'
              #- '{policy,gates,freshness_minutes}' #- '{policy,gates,daily_active_sessions}'
              #- '{policy,gates,activation_conversion}' #- '{policy,approvals,override}' where batch_id = $1`,
    ),
  ).toEqual([]);
  expect(Object.keys(await world.gates('older')).sort()).toEqual([
    'balance',
    'duplicates',
    'identity',
    'overlap',
    'recount',
    'sample',
    'schema',
  ]);
});
