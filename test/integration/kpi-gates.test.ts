import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessLog } from '../support/access-log.ts';
import { createKpiWorld, type KpiWorld, LOST_DAY, lostLines, references } from '../support/kpi-world.ts';
import { runBatch } from '../support/run-batch.ts';

// The KPI gates on real rows, everything else being as it should be.
let world: KpiWorld;
beforeAll(async () => {
  world = await createKpiWorld();
});
afterAll(() => world.dispose());

const KPIS = ['activation_funnel', 'daily_active_sessions'];

describe('by the references of the submission', () => {
  it('pass what they confirm, and show every day that was compared', async () => {
    const batch = await world.run('confirmed', {
      lines: lostLines('confirmed'),
      request: { references: references() },
    });
    expect([batch.status, batch.status_reason]).toEqual(['awaiting_publish_approval', null]);
    const { daily_active_sessions: sessions, activation_funnel: funnel } = await world.gates('confirmed');
    expect(sessions?.observed).toBe(0);
    expect(sessions?.detail.days).toEqual(
      ['2026-11-02', '2026-11-03', LOST_DAY, '2026-11-05', '2026-11-06'].map((day) =>
        expect.objectContaining(
          day === LOST_DAY
            ? { day, in_window: true, live: 5, proposed: 100, baseline: 100, baseline_source: 'warehouse', median: 100 }
            : { day, in_window: false, live: 100, proposed: 100, baseline: null },
        ),
      ),
    );
    expect(funnel?.observed).toBe(0);
    expect(funnel?.detail.days).toEqual([
      expect.objectContaining({ day: '2026-11-01', role: 'neighbour', live: 0.6, proposed: 0.6 }),
      expect.objectContaining({ day: '2026-11-02', role: 'neighbour' }),
      expect.objectContaining({ day: '2026-11-03', role: 'touched', live: 0.6 }),
      expect.objectContaining({ day: LOST_DAY, role: 'window', live: 0.6, proposed: 0.6, baseline: 0.6 }),
      expect.objectContaining({ day: '2026-11-05', role: 'neighbour' }),
      expect.objectContaining({ day: '2026-11-06', role: 'neighbour' }),
    ]);
  });

  it.each([
    ['sessions', { sessions: 102 }, 'daily_active_sessions', '2026-11-04 100 against 102'],
    ['conversion', { conversion: 0.606 }, 'activation_funnel', '2026-11-04 0.6 against 0.606'],
  ])('fail what they contradict: %s', async (name, values, gate, why) => {
    const batchId = `contradicted-${name}`;
    const batch = await world.run(batchId, { lines: lostLines(batchId), request: { references: references(values) } });
    expect(batch.status).toBe('gates_failed');
    expect(await world.failedGates(batchId)).toEqual([gate]);
    expect(batch.status_reason).toContain(why);
    const { [gate]: result } = await world.gates(batchId);
    expect(result?.detail.needs_override).toBe(false);
  });
});

describe('by the median of other weeks', () => {
  it('warn only, with what it says', async () => {
    const batch = await world.run('alone', { lines: lostLines('alone') });
    expect(batch.status).toBe('gates_failed');
    expect(await world.failedGates('alone')).toEqual(KPIS);
    const { daily_active_sessions: sessions } = await world.gates('alone');
    expect(sessions).toMatchObject({ observed: 0, detail: { needs_override: true } });
    expect(batch.status_reason).toContain('the median of other weeks is all there is for 2026-11-04 100 against 100');
  });

  it('leave weeks out in which something happened, of this source', async () => {
    await world.sql.query(
      `insert into analytics.backfill_batches
         (batch_id, source, reason, input, window_start, window_end, request, request_sha256, submitted_by, status)
       select b, s, 'outage', '', w, w + interval '1 hour', '{}', '', 'test', 'submitted'
         from (values ('week-1', 'app', timestamptz '2026-10-28T05:00Z'), ('week-2', 'cdn', '2026-10-21T05:00Z'),
                      ('week-3', 'app', '2026-10-15T05:00Z')) as given (b, s, w)`,
    );
    await world.run('weeks', { lines: lostLines('weeks') });
    const weeksOf = async (gate: string) => {
      const { [gate]: result } = await world.gates('weeks');
      const days = result?.detail.days as { day: string; median_of?: string[] }[];
      return days.find(({ day }) => day === LOST_DAY)?.median_of;
    };
    expect(await weeksOf('daily_active_sessions')).toEqual(['2026-10-21', '2026-10-14', '2026-10-07']);
    // The cohort of the 14th has until the evening of the 15th.
    expect(await weeksOf('activation_funnel')).toEqual(['2026-10-21', '2026-10-07']);
    await world.sql.query(`delete from analytics.backfill_outbox where batch_id like 'week-_'`);
    await world.sql.query(`set session_replication_role = replica; delete from analytics.backfill_batches
       where batch_id like 'week-_'; set session_replication_role = origin`);
  });
});

it('fail where there is nothing to compare with', async () => {
  const window = { start: '2026-09-01T00:00:00Z', end: '2026-09-02T00:00:00Z' };
  const lines = lostLines('alien').map((line) => line.replaceAll('2026-11-04', '2026-09-01'));
  const batch = await world.run('nothing', { lines, window });
  expect(batch.status_reason).toContain('daily_active_sessions: nothing to compare 2026-09-01');
  expect(batch.status_reason).toMatch(/Submit the batch anew.*references/);
  const { daily_active_sessions: sessions } = await world.gates('nothing');
  expect(sessions).toMatchObject({ passed: false, observed: null, detail: { needs_override: false } });
});

it('are shown as not applicable where the policy says why', async () => {
  const why = 'the app has no sign-ups';
  await world.config.editPolicy((policy) => {
    policy.kpi.not_applicable = { default: {}, sources: { app: { activation_funnel: why } } };
  });
  await world.run('declared', { lines: lostLines('declared'), request: { references: references() } });
  const { activation_funnel: funnel, daily_active_sessions: sessions } = await world.gates('declared');
  expect(funnel).toMatchObject({ passed: true, observed: 0, detail: { not_applicable: why } });
  expect(sessions?.detail.days).toBeDefined();
  await world.config.editPolicy((policy) => {
    policy.kpi.not_applicable = { default: {}, sources: {} };
  });
});

it('say what to declare where a source or a policy has no such KPI', async () => {
  await world.config.editPolicy((policy) => {
    delete policy.kpi.funnel;
  });
  const batch = await runBatch(world, 'no-kpis', { 'a.log': accessLog(0, 50) });
  expect(batch.status).toBe('gates_failed');
  expect(batch.status_reason).toContain('the source web-access maps no session_id');
  expect(batch.status_reason).toContain('kpi.not_applicable.sources.web-access');
  expect(batch.status_reason).toContain('the policy names no kpi.funnel');
  await world.config.editPolicy((policy) => {
    policy.kpi.funnel = { steps: ['signup_completed', 'feature_used'], window_hours: 24 };
  });
});

describe('turn red', () => {
  /** The batch's rows of this kind, as rows of their own with ids that fit. */
  const copyRows = (where: string, change: { at?: string; session?: string }) => `
    insert into analytics.events_backfill_staging (event_id, batch_id, source, event_name, schema_version, event_ts,
           session_id, subject_id, payload, part_id, is_duplicate, duplicate_kind)
    select analytics.event_id(source, ${change.at ?? 'event_ts'}, payload), batch_id, source, event_name, schema_version,
           ${change.at ?? 'event_ts'}, ${change.session ?? 'session_id'}, subject_id, payload, part_id, is_duplicate,
           duplicate_kind
      from analytics.events_backfill_staging where batch_id = $1 and ${where}`;
  const oneSignUp = `event_id = (select min(event_id) from analytics.events_backfill_staging where batch_id = $1)`;

  it.each([
    [
      'daily_active_sessions',
      'collapsed',
      [`update analytics.events_backfill_staging set session_id = 's' where batch_id = $1`],
    ],
    [
      'daily_active_sessions',
      'split',
      [`update analytics.events_backfill_staging set session_id = event_id where batch_id = $1`],
    ],
    ['daily_active_sessions', 'added-before', [copyRows(oneSignUp, { at: `event_ts - interval '1 day'` })]],
    ['daily_active_sessions', 'added-behind', [copyRows(oneSignUp, { at: `event_ts + interval '2 days'` })]],
    [
      'daily_active_sessions',
      'moved',
      [
        copyRows(oneSignUp, { at: `event_ts + interval '1 day'` }),
        `delete from analytics.events_backfill_staging where batch_id = $1 and ${oneSignUp}`,
      ],
    ],
    [
      'daily_active_sessions',
      'dropped',
      [
        `delete from analytics.events_backfill_staging where batch_id = $1 and session_id in (
         select session_id from analytics.events_backfill_staging where batch_id = $1 group by 1 limit 2)`,
      ],
    ],
    [
      'activation_funnel',
      'steps-dropped',
      [
        `delete from analytics.events_backfill_staging where batch_id = $1 and event_id in (
         select event_id from analytics.events_backfill_staging where batch_id = $1 and event_name = 'feature_used' limit 1)`,
      ],
    ],
    [
      'activation_funnel',
      'steps-renamed',
      [
        `update analytics.events_backfill_staging set event_name = 'feature_used' where batch_id = $1 and event_name = 'page_viewed'`,
      ],
    ],
    [
      'activation_funnel',
      'steps-swapped',
      [
        `update analytics.events_backfill_staging
          set event_name = case event_name when 'feature_used' then 'signup_completed' else 'feature_used' end
        where batch_id = $1 and event_name <> 'page_viewed'`,
      ],
    ],
    ['activation_funnel', 'cohort-before', [copyRows(oneSignUp, { at: `event_ts - interval '2 days'` })]],
  ] as const)('%s: %s', async (gate, batchId, statements) => {
    const request = { references: references() };
    const batch = await world.run(batchId, { lines: lostLines(batchId), request });
    expect([batch.status, batch.status_reason]).toEqual(['awaiting_publish_approval', null]);
    expect(await world.verifyAfter(batchId, ...statements)).toContain(gate);
  });
});
