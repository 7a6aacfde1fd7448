import { isJsonObject, type JsonObject, type JsonValue } from '../domain/json.ts';
import { tryParseJson } from '../domain/try-json.ts';
import type { CleanedEvent, CleanedLine } from './cleaned-line.ts';
import { EXPIRED, FILTERED, quarantined } from './line-outcome.ts';
import { opaqueId } from './opaque-id.ts';

/**
 * A line of a pseudonymised copy, without its line end: all that is kept of one raw record. Nothing for a filtered one,
 * else a JSON object, an event or an `outcome`.
 */
export function writeCopyLine(cleaned: CleanedLine): string {
  const { outcome } = cleaned;
  if (outcome === 'filtered') return '';
  if (outcome === 'quarantined') {
    return JSON.stringify({ outcome, reason: cleaned.reason, subject_id: cleaned.subjectId });
  }
  if (outcome !== 'cleaned') return JSON.stringify({ outcome });
  const { event } = cleaned;
  return JSON.stringify({
    event_name: event.eventName,
    schema_version: event.schemaVersion,
    event_ts: new Date(event.eventTsMs).toISOString(),
    record_id: event.recordId,
    session_id: event.sessionId,
    subject_id: event.subjectId,
    properties: event.properties,
  });
}

/** A code, perhaps with a place in the schema, or Ajv's words about the schema: see quarantined() and schemaReason(). */
const REASON =
  /^(?:[a-z_0-9]+|[a-z_]+: [a-z_]+|upcast: [0-9-]+_[0-9-]+ failed|pii: [^\s@]{1,300} personal_data|schema: \/properties[^\s@]{0,300} (?:must|fails|is) [^@]{1,300})$/;

/**
 * Reads a line of a copy.
 *
 * @returns undefined for a text that {@link writeCopyLine} does not write
 */
export function readCopyLine(text: string): CleanedLine | undefined {
  if (text === '') return FILTERED;
  const value = tryParseJson(text);
  if (!isJsonObject(value)) return undefined;
  const line = 'outcome' in value ? toOutcome(value) : toEvent(value);
  // Whatever else stands in the text, a name twice or one that is not ours, would not be written again.
  return line !== undefined && writeCopyLine(line) === text ? line : undefined;
}

function toOutcome({ outcome, reason, subject_id: subjectId }: JsonObject): CleanedLine | undefined {
  if (outcome === 'expired') return EXPIRED;
  if (outcome !== 'quarantined' || typeof reason !== 'string' || !REASON.test(reason)) return undefined;
  if (subjectId === undefined) return quarantined(reason);
  return isIdentifier(subjectId) ? { outcome, reason, subjectId } : undefined;
}

function toEvent(value: JsonObject): CleanedLine | undefined {
  const { event_name: eventName, schema_version: schemaVersion, event_ts: eventTs, properties } = value;
  if (typeof eventName !== 'string' || typeof schemaVersion !== 'string' || typeof eventTs !== 'string')
    return undefined;
  const eventTsMs = Date.parse(eventTs);
  const { record_id: recordId, session_id: sessionId, subject_id: subjectId } = value;
  if (Number.isNaN(eventTsMs) || !isJsonObject(properties)) return undefined;
  if (!isIdentifier(recordId) || !isIdentifier(sessionId) || !isIdentifier(subjectId)) return undefined;
  const event: CleanedEvent = { eventName, schemaVersion, eventTsMs, recordId, sessionId, subjectId, properties };
  return { outcome: 'cleaned', event };
}

function isIdentifier(value: JsonValue | undefined): value is string | null {
  return value === null || (typeof value === 'string' && opaqueId(value) !== undefined);
}
