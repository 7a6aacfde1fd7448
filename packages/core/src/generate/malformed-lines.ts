import type { JsonObject } from '../domain/json.ts';
import type { AppRecord } from './app-session.ts';

/** A line that must end in quarantine, and the reason it must have there. */
export interface MalformedLine {
  reason: string;
  bytes: Buffer;
}

const NOT_UTF8 = Buffer.from([0xc3, 0x28, 0xff]);

/** Makes a bad line out of a good record; `turn` goes through the kinds one after the other. */
export function malformedLine(record: AppRecord, turn: number): MalformedLine {
  const make = KINDS[turn % KINDS.length];
  if (make === undefined) throw new RangeError('the turn is not a count');
  return make(record);
}

const KINDS: readonly ((record: AppRecord) => MalformedLine)[] = [
  ({ raw }) => cut('parse: not_json', JSON.stringify(raw)),
  ({ raw }) => line('parse: not_a_json_object', JSON.stringify([raw])),
  ({ raw }) => {
    const bytes = Buffer.concat([Buffer.from(JSON.stringify(raw)), NOT_UTF8]);
    return { reason: 'invalid_utf8', bytes };
  },
  ({ raw }) => json('time: impossible', { ...raw, ts: '2026-02-30T12:00:00Z' }),
  ({ raw }) => json('time: no_zone', { ...raw, ts: '2026-03-14T12:00:00' }),
  ({ raw }) => json('time: missing', { ...raw, ts: null }),
  ({ raw }) => json('event_name: missing', { ...raw, name: '' }),
  ({ raw }) => json('record_id: missing', { ...raw, id: null }),
  ({ raw }) =>
    json('schema: /properties/rating must be <= 5', {
      ...raw,
      name: 'Feedback Sent',
      data: { rating: 11 },
    }),
  ({ raw }) =>
    json('text: unusable_character', {
      ...raw,
      name: 'Search Performed',
      data: { query: 'cut here \u0000 or here \ud83d' },
    }),
];

function cut(reason: string, text: string): MalformedLine {
  return line(reason, text.slice(0, Math.floor(text.length * 0.7)));
}

function json(reason: string, raw: JsonObject): MalformedLine {
  return line(reason, JSON.stringify(raw));
}

function line(reason: string, text: string): MalformedLine {
  return { reason, bytes: Buffer.from(text) };
}
