import { describe, expect, it } from 'vitest';
import { allKpiDays, chooseKpiDays, joinSpans, median, unaffectedDays } from './kpi-days.ts';

const HOUR_MS = 3_600_000;
const span = (start: string, end: string) => ({ startMs: Date.parse(start), endMs: Date.parse(end) });
const UTC_DAY = span('2026-11-18T00:00:00Z', '2026-11-19T00:00:00Z');
const options = { timeZone: 'UTC', reachMs: 0, neighbourDays: 2, baselineWeeks: 2 };

describe('chooseKpiDays', () => {
  it('takes the days around a window, and the same weekdays before', () => {
    expect(chooseKpiDays(UTC_DAY, options)).toEqual({
      window: ['2026-11-18'],
      touched: [],
      neighbours: ['2026-11-16', '2026-11-17', '2026-11-19', '2026-11-20'],
      weeks: new Map([['2026-11-18', ['2026-11-11', '2026-11-04']]]),
    });
  });

  it('takes local days, of which a UTC day touches two', () => {
    const { window, neighbours } = chooseKpiDays(UTC_DAY, { ...options, timeZone: 'Europe/Berlin', neighbourDays: 1 });
    expect(window).toEqual(['2026-11-18', '2026-11-19']);
    expect(neighbours).toEqual(['2026-11-17', '2026-11-20']);
  });

  it('keeps neighbours and weeks clear of cohorts that the window can touch', () => {
    const { touched, neighbours, weeks } = chooseKpiDays(UTC_DAY, { ...options, reachMs: 25 * HOUR_MS });
    expect(touched).toEqual(['2026-11-16', '2026-11-17']);
    expect(neighbours).toEqual(['2026-11-14', '2026-11-15', '2026-11-19', '2026-11-20']);
    expect(weeks.get('2026-11-18')).toEqual(['2026-11-11', '2026-11-04']);
  });

  it('looks before a long window, not into it', () => {
    const { weeks } = chooseKpiDays(span('2026-11-02T00:00:00Z', '2026-11-16T00:00:00Z'), options);
    expect(weeks.get('2026-11-15')).toEqual(['2026-11-01', '2026-10-25']);
    expect(weeks.get('2026-11-02')).toEqual(['2026-10-26', '2026-10-19']);
  });

  it('names each day once', () => {
    const days = allKpiDays(chooseKpiDays(UTC_DAY, { ...options, neighbourDays: 8 }));
    expect(days).toHaveLength(8 + 1 + 8 + 1);
  });
});

it('joins spans that meet', () => {
  const spans = [
    { startMs: 5, endMs: 6 },
    { startMs: 0, endMs: 2 },
    { startMs: 1, endMs: 3 },
    { startMs: 3, endMs: 4 },
  ];
  expect(joinSpans(spans)).toEqual([
    { startMs: 0, endMs: 4 },
    { startMs: 5, endMs: 6 },
  ]);
});

it('leaves out days that another window touches, with what counts for them', () => {
  const affected = [span('2026-11-12T06:00:00Z', '2026-11-12T07:00:00Z')];
  const left = (reachMs: number) =>
    unaffectedDays(['2026-11-11', '2026-11-12', '2026-11-13'], affected, { timeZone: 'UTC', reachMs });
  expect(left(0)).toEqual(['2026-11-11', '2026-11-13']);
  expect(left(6 * HOUR_MS)).toEqual(['2026-11-11', '2026-11-13']);
  expect(left(6 * HOUR_MS + 1)).toEqual(['2026-11-13']);
});

it.each([
  [[], undefined],
  [[3], 3],
  [[9, 1], 5],
  [[9, 1, 2], 2],
  [[10, 9, 100, 8], 9.5],
])('takes the median of %j', (values, middle) => {
  expect(median(values)).toBe(middle);
});
