import type { JsonObject } from '../domain/json.ts';

/** What tells an event from others of the same properties; null for what its source has not. */
export interface PayloadIds {
  recordId: string | null;
  /** From 1; see `RawLine`. */
  occurrence: number | null;
  sessionId: string | null;
  subjectId: string | null;
}

/**
 * The canonical payload of an event. The fixed names are written in canonical order here, and
 * `properties` must have its names in that order already; the values must be JSON numbers that
 * are finite, which the schema's bounds see to.
 *
 * @returns undefined if a text holds a NUL or a lone surrogate, which PostgreSQL and RFC 8785 refuse
 */
export function payloadText(eventName: string, properties: JsonObject, ids: PayloadIds): string | undefined {
  let text = `{"event_name":"${eventName}"`;
  if (ids.occurrence !== null) text += `,"occurrence":${ids.occurrence}`;
  text += `,"properties":${JSON.stringify(properties)}`;
  if (ids.recordId !== null) text += `,"record_id":${JSON.stringify(ids.recordId)}`;
  if (ids.sessionId !== null) text += `,"session_id":${JSON.stringify(ids.sessionId)}`;
  if (ids.subjectId !== null) text += `,"subject_id":${JSON.stringify(ids.subjectId)}`;
  text += '}';
  return hasUnusableCharacter(text) ? undefined : text;
}

/** An escape of NUL or a surrogate, after an even number of backslashes. */
const UNUSABLE_ESCAPE = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89ab][0-9a-f]{2}|d[c-f][0-9a-f]{2})/;

/** JSON.stringify escapes only control characters and lone surrogates with `\u`. */
function hasUnusableCharacter(json: string): boolean {
  return json.includes('\\u') && UNUSABLE_ESCAPE.test(json);
}
