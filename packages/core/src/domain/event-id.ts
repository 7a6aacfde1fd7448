import { hash } from 'node:crypto';

/**
 * The identity of an event: `source:YYYYMMDDHHMMSSmmm:\x<sha256 of the payload text, hex>`, with
 * the time in UTC and a literal backslash, exactly as the database's check computes it.
 *
 * @param eventTsMs whole milliseconds since 1970, up to the end of the year 9999
 * @param payloadText the canonical payload, hashed as UTF-8
 */
export function eventId(source: string, eventTsMs: number, payloadText: string): string {
  return `${source}:${compactUtc(eventTsMs)}:\\x${hash('sha256', payloadText, 'hex')}`;
}

const MINUTE_MS = 60_000;
let lastMinute = -1;
let lastMinuteText = '';

/** `YYYYMMDDHHMMSSmmm` in UTC. Remembers the last minute, which the next event often shares. */
function compactUtc(timeMs: number): string {
  const minute = Math.floor(timeMs / MINUTE_MS);
  if (minute !== lastMinute) {
    lastMinuteText = new Date(timeMs).toISOString().slice(0, 16).replace(/[-:T]/g, '');
    lastMinute = minute;
  }
  return lastMinuteText + String(timeMs - minute * MINUTE_MS).padStart(5, '0');
}
