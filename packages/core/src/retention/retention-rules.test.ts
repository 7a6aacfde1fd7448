import { describe, expect, it } from 'vitest';
import {
  aboutEventsDue,
  type EventPartition,
  eventsDue,
  planRetention,
  type RetentionBatch,
  retentionMoments,
} from './retention-rules.ts';

const LIMITS = { raw_days: 90, event_months: 13, staging_hours: 24 };
const NOW = Date.parse('2026-11-23T10:00:00Z');
const at = (text: string) => new Date(`${text}Z`);
/** 13 months before NOW is 2025-10-23T10:00Z. */
const OLD_DAY: EventPartition = {
  leaf: 'events_log_20251001',
  range: { from: at('2025-10-01T00:00'), to: at('2025-10-02T00:00') },
  mark: null,
};

const batch = (change: Partial<RetentionBatch> = {}): RetentionBatch => ({
  batch_id: 'b',
  source: 'app',
  status: 'published',
  attempt: 1,
  window_start: at('2025-10-01T00:00'),
  window_end: at('2025-10-03T00:00'),
  rows_live: true,
  since: at('2026-01-01T00:00'),
  exception_until: null,
  was_prepared: true,
  mirrored_at: at('2026-01-01T00:00'),
  snapshot_at: null,
  has_staging: false,
  archive_mark: null,
  snapshots_mark: null,
  records_mark: null,
  ...change,
});
const plan = (batches: RetentionBatch[], partitions: EventPartition[] = []) =>
  planRetention({ batches, partitions }, LIMITS, NOW);
const kinds = (batches: RetentionBatch[]) => plan(batches).due.map(({ kind }) => kind);
const eventsOf = (partition: EventPartition, ...batches: RetentionBatch[]) =>
  eventsDue(partition, batches, retentionMoments(LIMITS, NOW), NOW);

it('counts hours, days and months back, events by whole days', () => {
  expect(retentionMoments(LIMITS, NOW)).toEqual({
    staging: at('2026-11-22T10:00'),
    raw: at('2026-08-25T10:00'),
    events: at('2025-10-23T00:00'),
  });
});

describe('archives', () => {
  it('go 90 days after the mirror was made, to the millisecond', () => {
    const recent = { window_start: at('2026-07-01T00:00'), window_end: at('2026-07-02T00:00') };
    expect(kinds([batch({ ...recent, mirrored_at: at('2026-08-25T10:00') })])).toContain('archive');
    expect(kinds([batch({ ...recent, mirrored_at: at('2026-08-25T10:00:00.001') })])).not.toContain('archive');
  });

  it('go once for each mirror', () => {
    expect(kinds([batch({ archive_mark: at('2026-01-01T00:00') })])).not.toContain('archive');
    expect(kinds([batch({ archive_mark: at('2025-12-31T00:00') })])).toContain('archive');
  });

  it('of no run that was begun are none', () => {
    expect(kinds([batch({ was_prepared: false, mirrored_at: null })])).not.toContain('archive');
    expect(kinds([batch({ mirrored_at: null })])).toContain('archive');
  });

  it('have snapshots with a time of their own', () => {
    expect(kinds([batch({ snapshot_at: at('2026-11-01T00:00') })])).not.toContain('snapshots');
    expect(kinds([batch({ snapshot_at: at('2026-02-01T00:00') })])).toContain('snapshots');
  });

  it.each([
    'submitted',
    'importing',
    'verifying',
    'gates_failed',
    'awaiting_publish_approval',
    'publishing',
    'halted',
  ] as const)('stay while the batch is %s, and the plan says why', (status) => {
    const { due, held } = plan([batch({ status })]);
    expect(due.map(({ kind }) => kind)).toEqual(['keys']);
    expect(held).toMatchObject([{ batchId: 'b', until: null }]);
    expect(held[0]?.kinds).toContain('archive');
    expect(held[0]?.why).toContain(`${status} since 2026-01-01`);
  });

  it('of failed batches go when the failure is as old', () => {
    expect(kinds([batch({ status: 'failed' })])).toContain('archive');
    expect(kinds([batch({ status: 'failed', since: at('2026-11-01T00:00') })])).not.toContain('archive');
  });

  it('are not kept by an exception, which is about rows', () => {
    expect(kinds([batch({ exception_until: at('2027-01-01T00:00') })])).toEqual(['archive', 'keys']);
  });
});

describe('partitions of events', () => {
  it('go when the whole day is past its time', () => {
    expect(eventsOf(OLD_DAY, batch())).toMatchObject({ mode: 'drop', keep: [] });
    const day = (from: string, to: string) => ({ ...OLD_DAY, range: { from: at(from), to: at(to) } });
    expect(eventsOf(day('2025-10-22T00:00', '2025-10-23T00:00'))).toMatchObject({ mode: 'drop' });
    expect(eventsOf(day('2025-10-23T00:00', '2025-10-24T00:00'))).toBeUndefined();
  });

  it('stay for a batch with an exception, without what is not its', () => {
    const excepted = batch({ exception_until: at('2026-11-23T10:00:00.001') });
    expect(eventsOf(OLD_DAY, excepted, batch({ batch_id: 'c' }))).toMatchObject({ mode: 'rows', keep: ['b'] });
    expect(eventsOf(OLD_DAY, batch({ exception_until: at('2026-11-23T10:00') }))).toMatchObject({ mode: 'drop' });
    const elsewhere = batch({ exception_until: at('2027-01-01T00:00'), window_start: at('2025-10-02T00:00') });
    expect(eventsOf(OLD_DAY, elsewhere)).toMatchObject({ mode: 'drop' });
  });

  it('stay for rows of a batch that was halted before they were counted', () => {
    expect(eventsOf(OLD_DAY, batch({ status: 'halted' }))).toMatchObject({ mode: 'rows', keep: ['b'] });
    expect(eventsOf(OLD_DAY, batch({ status: 'halted', rows_live: false }))).toMatchObject({ mode: 'drop' });
  });

  it.each(['publishing', 'rolling_back'] as const)('wait while a batch of the day is %s', (status) => {
    expect(eventsOf(OLD_DAY, batch({ status }))).toMatchObject({ mode: 'wait' });
    expect(plan([batch({ status })], [OLD_DAY]).due.map(({ kind }) => kind)).toEqual(['keys']);
  });

  it('are looked through once a day while the same rows of them are kept', () => {
    const kept = batch({ exception_until: at('2027-01-01T00:00') });
    const looked = (time: string, ...ids: string[]) => ({ ...OLD_DAY, mark: { at: at(time), kept: ids } });
    expect(eventsOf(looked('2026-11-22T10:00:00.001', 'b'), kept)).toBeUndefined();
    expect(eventsOf(looked('2026-11-22T10:00', 'b'), kept)).toMatchObject({ mode: 'rows' });
    expect(eventsOf(looked('2026-11-23T09:00', 'a', 'b'), kept)).toMatchObject({ mode: 'rows' });
    expect(eventsOf(looked('2026-11-23T09:00', 'b'), batch())).toMatchObject({ mode: 'drop' });
  });

  it('do not stay for what was taken back', () => {
    const back = batch({ status: 'rolled_back', rows_live: false, exception_until: at('2027-01-01T00:00') });
    expect(eventsOf(OLD_DAY, back)).toMatchObject({ mode: 'drop' });
  });

  it('that take what has no day are never dropped', () => {
    expect(eventsOf({ leaf: 'events_log_default', range: null, mark: null })).toMatchObject({ mode: 'rows' });
  });
});

describe('what is about events', () => {
  const before = at('2025-10-23T00:00');
  it('goes with them, up to the end of the window, once', () => {
    const [keys, records] = aboutEventsDue([batch()], before, NOW);
    expect(keys).toEqual({ kind: 'keys', source: 'app', keep: [] });
    expect(records).toMatchObject({ kind: 'records', batchId: 'b', before: at('2025-10-03T00:00') });
    const done = batch({ records_mark: at('2025-10-03T00:00') });
    expect(aboutEventsDue([done], before, NOW)).toEqual([{ kind: 'keys', source: 'app', keep: [] }]);
  });

  it('goes day by day of a longer window', () => {
    const long = batch({ window_end: at('2026-02-01T00:00'), records_mark: at('2025-10-22T00:00') });
    expect(aboutEventsDue([long], before, NOW)).toMatchObject([{ kind: 'keys' }, { kind: 'records', before }]);
  });

  it('stays with batches under way and excepted ones, whoever lost to them', () => {
    const kept = [
      batch({ batch_id: 'halted', status: 'halted', rows_live: false }),
      batch({ batch_id: 'excepted', exception_until: at('2027-01-01T00:00') }),
    ];
    expect(aboutEventsDue([...kept, batch()], before, NOW)).toMatchObject([
      { kind: 'keys', keep: ['excepted', 'halted'] },
      { kind: 'records', batchId: 'b', keep: ['excepted', 'halted'] },
    ]);
  });

  it('is not there before the window', () => {
    expect(aboutEventsDue([batch()], at('2025-10-01T00:00'), NOW)).toEqual([]);
  });
});

it('tells until when an exception holds', () => {
  const until = at('2027-01-01T00:00');
  expect(plan([batch({ exception_until: until, archive_mark: at('2026-01-01T00:00') })]).held).toEqual([
    { batchId: 'b', kinds: ['events', 'keys', 'records'], why: 'a retention exception', until },
  ]);
});

it('purges staged rows of complete batches only', () => {
  const staged = { has_staging: true, since: at('2026-11-22T10:00') };
  expect(kinds([batch({ ...staged })])).toContain('staging');
  expect(kinds([batch({ ...staged, since: at('2026-11-22T10:00:01') })])).not.toContain('staging');
  expect(kinds([batch({ ...staged, status: 'halted' })])).not.toContain('staging');
});
