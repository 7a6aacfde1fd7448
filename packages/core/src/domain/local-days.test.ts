import { describe, expect, it } from 'vitest';
import { localDaySpan, localDaysOf, shiftDay, weekday } from './local-days.ts';

const BERLIN = 'Europe/Berlin';
const span = (start: string, end: string) => ({ startMs: Date.parse(start), endMs: Date.parse(end) });

describe('localDaysOf', () => {
  it.each([
    ['2026-11-01T00:00:00Z', '2026-11-02T00:00:00Z', BERLIN, ['2026-11-01', '2026-11-02']],
    ['2026-10-31T23:00:00Z', '2026-11-01T23:00:00Z', BERLIN, ['2026-11-01']],
    ['2026-11-01T22:59:59.999Z', '2026-11-01T23:00:00.001Z', BERLIN, ['2026-11-01', '2026-11-02']],
    ['2026-12-31T12:00:00Z', '2027-01-01T12:00:00Z', 'UTC', ['2026-12-31', '2027-01-01']],
    ['2026-03-01T12:00:00Z', '2026-03-01T12:00:01Z', 'Pacific/Kiritimati', ['2026-03-02']],
  ])('%s to %s in %s', (start, end, zone, days) => {
    expect(localDaysOf(span(start, end), zone)).toEqual(days);
  });
});

describe('localDaySpan', () => {
  it('is 25 hours long when the clocks go back', () => {
    expect(localDaySpan('2026-10-25', BERLIN)).toEqual(span('2026-10-24T22:00:00Z', '2026-10-25T23:00:00Z'));
  });
});

it('counts days over the ends of months and years', () => {
  expect(shiftDay('2026-12-31', 1)).toBe('2027-01-01');
  expect(shiftDay('2024-03-01', -1)).toBe('2024-02-29');
  expect(weekday('2026-11-18')).toBe(3);
});
