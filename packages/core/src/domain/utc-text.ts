const MINUTE_MS = 60_000;

let lastMinute = Number.NaN;
/** `YYYY-MM-DDTHH:MM:` and `YYYYMMDDHHMM` of the last minute, which the next event often shares. */
let isoMinute = '';
let compactMinute = '';

/** Five digits: seconds and milliseconds. */
function withinMinute(timeMs: number): string {
  const minute = Math.floor(timeMs / MINUTE_MS);
  if (minute !== lastMinute) {
    isoMinute = new Date(timeMs).toISOString().slice(0, -'SS.sssZ'.length);
    compactMinute = isoMinute.replace(/[-:T]/g, '');
    lastMinute = minute;
  }
  return String(timeMs - minute * MINUTE_MS).padStart(5, '0');
}

/** `YYYY-MM-DDTHH:MM:SS.mmmZ`, as Date's toISOString has it. Whole ms since 1970, up to the end of the year 9999. */
export function isoUtc(timeMs: number): string {
  const rest = withinMinute(timeMs);
  return `${isoMinute}${rest.slice(0, 2)}.${rest.slice(2)}Z`;
}

/** `YYYYMMDDHHMMSSmmm` in UTC. Whole ms since 1970, up to the end of the year 9999. */
export function compactUtc(timeMs: number): string {
  const rest = withinMinute(timeMs);
  return compactMinute + rest;
}
