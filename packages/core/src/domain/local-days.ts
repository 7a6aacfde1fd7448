import { localMidnightMs } from './local-midnight.ts';

const DAY_MS = 86_400_000;

/** The calendar day so many days later, or earlier: `2026-02-28` + 1 is `2026-03-01`. */
export function shiftDay(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

/** Day of the week: 0 is Sunday. */
export function weekday(day: string): number {
  return new Date(`${day}T00:00:00Z`).getUTCDay();
}

/** The calendar day that a moment belongs to in a time zone: `2026-07-01`. */
export function localDay(ms: number, timeZone: string): string {
  const parts = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
  return parts.format(ms);
}

/** When a calendar day begins and ends in a time zone, in ms since 1970. */
export function localDaySpan(day: string, timeZone: string): { startMs: number; endMs: number } {
  return { startMs: localMidnightMs(day, timeZone), endMs: localMidnightMs(shiftDay(day, 1), timeZone) };
}

/** The calendar days that `[startMs, endMs)` touches in a time zone, in order. */
export function localDaysOf(span: { startMs: number; endMs: number }, timeZone: string): string[] {
  const last = localDay(span.endMs - 1, timeZone);
  const days: string[] = [];
  for (let day = localDay(span.startMs, timeZone); day <= last; day = shiftDay(day, 1)) days.push(day);
  return days;
}
