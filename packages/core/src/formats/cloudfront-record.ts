import type { JsonObject, JsonValue } from '../domain/json.ts';

/** Fields whose values are numbers (Amazon CloudFront Developer Guide, "Standard log file fields"). */
const NUMBERS = new Set([
  'sc-bytes',
  'sc-status',
  'cs-bytes',
  'time-taken',
  'fle-encrypted-fields',
  'c-port',
  'time-to-first-byte',
  'sc-content-len',
  'sc-range-start',
  'sc-range-end',
  'timestamp',
  'timestamp(ms)',
]);
const NUMBER = /^\d{1,15}(?:\.\d{1,9})?$/;

/**
 * A CloudFront record with its values as they were before CloudFront wrote them: `%XX` decoded once, `-` left out,
 * numbers as numbers. Where the log has `date` and `time` (UTC) and no `timestamp`, that is added, in ISO form.
 */
export function cloudfrontRecord(fields: Iterable<[string, JsonValue]>): JsonObject {
  const record: JsonObject = {};
  for (const [name, value] of fields) {
    if (value === '-' || value === '' || name === '' || name in Object.prototype) continue;
    record[name] = typeof value === 'string' ? readValue(name, value) : value;
  }
  const { date, time } = record;
  if (record.timestamp === undefined && typeof date === 'string' && typeof time === 'string') {
    record.timestamp = `${date}T${time}Z`;
  }
  return record;
}

function readValue(name: string, value: string): JsonValue {
  if (NUMBERS.has(name)) return NUMBER.test(value) ? Number(value) : value;
  return value.includes('%') ? percentDecoded(value) : value;
}

/** What is no escape, or not of UTF-8, stays as it was written. */
function percentDecoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch (error) {
    if (error instanceof URIError) return value;
    throw error;
  }
}
