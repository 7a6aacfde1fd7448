const HOUR_MS = 3_600_000;
const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** True for a day of the calendar written like `2026-07-01`. */
export function isCalendarDay(day: string): boolean {
  const ms = DAY.test(day) ? Date.parse(`${day}T00:00:00Z`) : Number.NaN;
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(day);
}

/**
 * When a calendar day begins in a time zone, in ms since 1970. Where clocks jump over midnight,
 * the day begins with the first instant after the jump.
 *
 * @throws RangeError for what is no day, or no time zone of the IANA database
 */
export function localMidnightMs(day: string, timeZone: string): number {
  if (!isCalendarDay(day)) throw new RangeError(`${day} is no calendar day`);
  const localDay = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
  const isReached = (ms: number): boolean => localDay.format(ms) >= day;
  // Zones are at most 14 hours off; within the span the day begins once, on a whole second.
  const utcMidnight = Date.parse(`${day}T00:00:00Z`);
  let before = utcMidnight - 16 * HOUR_MS;
  let reached = utcMidnight + 16 * HOUR_MS;
  while (reached - before > 1_000) {
    const middle = Math.floor((before + reached) / 2_000) * 1_000;
    if (isReached(middle)) reached = middle;
    else before = middle;
  }
  return reached;
}
