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

/** `YYYYMMDDHHMMSSmmm` in UTC. */
function compactUtc(timeMs: number): string {
  const iso = new Date(timeMs).toISOString();
  return (
    iso.slice(0, 4) +
    iso.slice(5, 7) +
    iso.slice(8, 10) +
    iso.slice(11, 13) +
    iso.slice(14, 16) +
    iso.slice(17, 19) +
    iso.slice(20, 23)
  );
}
