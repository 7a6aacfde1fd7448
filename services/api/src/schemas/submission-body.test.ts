import { describe, expect, it } from 'vitest';
import { toFieldErrors } from '../field-errors.ts';
import { submissionBody } from './submission-body.ts';

const GOOD = {
  batch_id: 'lost-week_1.2',
  source: 'web',
  reason: 'outage',
  input: 's3://analytics-raw/lost/week/',
  window: { start: '2026-03-01T00:00:00+01:00', end: '2026-03-08T00:00:00Z' },
};

const REFERENCE = { kpi: 'daily_active_sessions', day: '2026-03-02', value: 3.5, source: 'log of the proxy' };

const schema = submissionBody('analytics-raw');

function mistakes(body: unknown): string[] {
  const result = schema.safeParse(body);
  return result.success ? [] : toFieldErrors(result.error).map((error) => error.path);
}

describe('submissionBody', () => {
  it('takes the smallest and the largest good body as they are', () => {
    const large = {
      ...GOOD,
      expected_events: 0,
      max_overlap: 1,
      references: [
        { ...REFERENCE, source: 'warehouse' },
        { ...REFERENCE, kpi: 'activation_funnel', value: 0.31 },
      ],
      retention_exception: { why: 'lawful interest', until: '2027-01-01T00:00:00Z' },
      ticket: 'OPS-1',
    };
    expect(schema.parse(GOOD)).toEqual(GOOD);
    expect(schema.parse(large)).toEqual(large);
  });

  it.each<[string, object, string[]]>([
    ['a batch id with SQL in it', { batch_id: "x'; drop table y" }, ['batch_id']],
    ['a batch id of 64 characters', { batch_id: 'a'.repeat(64) }, ['batch_id']],
    ['another bucket', { input: 's3://elsewhere/lost/' }, ['input']],
    ['a prefix that names somebody', { input: 's3://analytics-raw/alice@example.com/' }, ['input']],
    ['a prefix without its slash', { input: 's3://analytics-raw/lost' }, ['input']],
    ['a whole bucket', { input: 's3://analytics-raw/' }, ['input']],
    ['a prefix with a line end', { input: 's3://analytics-raw/a\nb/' }, ['input']],
    [
      'a time without an offset',
      { window: { start: '2026-03-01T00:00:00', end: '2026-03-08T00:00:00Z' } },
      ['window.start'],
    ],
    ['an empty window', { window: { start: GOOD.window.end, end: GOOD.window.end } }, ['window']],
    [
      'a window that ends before it starts',
      { window: { start: '2026-03-09T00:00:00Z', end: GOOD.window.end } },
      ['window'],
    ],
    ['801 days', { window: { start: '2024-01-01T00:00:00Z', end: '2026-03-12T00:00:00Z' } }, ['window']],
    ['the year 0', { window: { start: '0000-01-01T00:00:00Z', end: '0001-01-01T00:00:00Z' } }, ['window']],
    ['an unknown field', { priority: 1 }, ['priority']],
    ['an unknown field of the window', { window: { ...GOOD.window, zone: 'UTC' } }, ['window.zone']],
    ['half an event', { expected_events: 0.5 }, ['expected_events']],
    ['an overlap over 1', { max_overlap: 1.01 }, ['max_overlap']],
    ['an unknown KPI', { references: [{ ...REFERENCE, kpi: 'das' }] }, ['references.0.kpi']],
    ['no day', { references: [REFERENCE, { ...REFERENCE, day: '2026-02-30' }] }, ['references.1.day']],
    ['a negative reference', { references: [{ ...REFERENCE, value: -1 }] }, ['references.0.value']],
    ['a reference that is no number', { references: [{ ...REFERENCE, value: Number.NaN }] }, ['references.0.value']],
    ['a reference without its source', { references: [{ ...REFERENCE, source: undefined }] }, ['references.0.source']],
    ['per cent', { references: [{ ...REFERENCE, kpi: 'activation_funnel', value: 31 }] }, ['references.0.value']],
    ['a contradiction', { references: [REFERENCE, { ...REFERENCE, value: 4 }] }, ['references.1.value']],
    ['half a surrogate pair', { ticket: 'a\ud800' }, ['ticket']],
    ['U+0000', { ticket: 'a\u0000' }, ['ticket']],
    ['an exception without an end', { retention_exception: { why: 'x' } }, ['retention_exception.until']],
    ['an exception until no day', { retention_exception: { why: 'x', until: 'soon' } }, ['retention_exception.until']],
    ['a migration that replaces nothing', { reason: 'schema_migration' }, ['replaces']],
    ['a replacement of nothing', { replaces: { live: false } }, ['replaces']],
    ['a replacement of two', { replaces: { live: true, batch_id: 'b' } }, ['replaces']],
    ['a replacement of no batch', { replaces: { batch_id: '-' } }, ['replaces.batch_id']],
  ])('refuses %s', (_what, change, paths) => {
    expect(mistakes({ ...GOOD, ...change })).toEqual(paths);
  });

  it('reads a date as the end of that day', () => {
    const body = schema.parse({ ...GOOD, retention_exception: { why: 'x', until: '2027-01-01' } });
    expect(body.retention_exception?.until).toBe('2027-01-01T23:59:59Z');
  });

  it.each([{ live: true as const }, { batch_id: 'b-1' }])('takes what is to be replaced: %j', (replaces) => {
    for (const reason of ['outage', 'reprocess', 'schema_migration']) {
      expect(schema.parse({ ...GOOD, reason, replaces }).replaces).toEqual(replaces);
    }
  });

  it('takes exactly 800 days', () => {
    expect(mistakes({ ...GOOD, window: { start: '2024-01-01T00:00:00Z', end: '2026-03-11T00:00:00Z' } })).toEqual([]);
  });

  it.each([[undefined], [null], ['text'], [[]]])('refuses %j as a body', (body) => {
    expect(mistakes(body)).toEqual(['']);
  });

  it('names all mistakes at once, those between fields as well', () => {
    const body = { batch_id: '', source: 7, reason: 'reprocess', input: 'here', window: {}, colour: 'red' };
    expect(mistakes(body)).toEqual(['batch_id', 'source', 'input', 'window.start', 'window.end', 'colour', 'replaces']);
  });
});
