import { expect, it } from 'vitest';
import { isCalendarDay, localMidnightMs } from './local-midnight.ts';

it.each([
  ['2026-01-15', 'Europe/Berlin', '2026-01-14T23:00:00.000Z'],
  ['2026-03-29', 'Europe/Berlin', '2026-03-28T23:00:00.000Z'],
  ['2026-03-30', 'Europe/Berlin', '2026-03-29T22:00:00.000Z'],
  ['2026-07-01', 'UTC', '2026-07-01T00:00:00.000Z'],
  ['2026-07-01', 'Pacific/Kiritimati', '2026-06-30T10:00:00.000Z'],
  ['2026-07-01', 'Pacific/Niue', '2026-07-01T11:00:00.000Z'],
  ['2026-07-01', 'Asia/Kathmandu', '2026-06-30T18:15:00.000Z'],
  // Clocks jumped from midnight to one o'clock.
  ['2018-11-04', 'America/Sao_Paulo', '2018-11-04T03:00:00.000Z'],
])('%s in %s begins at %s', (day, timeZone, iso) => {
  expect(new Date(localMidnightMs(day, timeZone)).toISOString()).toBe(iso);
});

it('knows the days of the calendar', () => {
  expect(['2026-02-28', '2024-02-29'].every(isCalendarDay)).toBe(true);
  expect(['2026-02-30', '2026-2-1', '2026-13-01', '', '2026-07-01T00:00'].some(isCalendarDay)).toBe(false);
  expect(() => localMidnightMs('2026-02-30', 'UTC')).toThrow(RangeError);
});
