import { hash } from 'node:crypto';
import { compactUtc } from './utc-text.ts';

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
