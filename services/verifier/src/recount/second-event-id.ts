import { hash } from 'node:crypto';
import type { JsonObject, JsonValue } from '@backfill/core/domain/json';
import { isCanonicalJson } from '@backfill/core/domain/try-json';
import canonicalize from 'canonicalize';

/** What an event's id is made of. */
export interface EventFields {
  eventName: string;
  /** Whole ms since 1970. */
  timeMs: number;
  recordId: string | null;
  sessionId: string | null;
  subjectId: string | null;
  properties: JsonObject;
}

/** A text that neither PostgreSQL nor RFC 8785 takes stands somewhere in the value. */
function hasUnusableText(value: JsonValue): boolean {
  if (typeof value === 'string') return !value.isWellFormed() || value.includes('\0');
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).some(hasUnusableText);
}

/**
 * The id of an event as the contract writes it: source, time in UTC, sha256 of the payload's canonical JSON (RFC 8785, by
 * the library of its author).
 *
 * @param occurrence of sources whose identity it is part of
 * @returns undefined where the payload cannot be written
 */
export function secondEventId(source: string, event: EventFields, occurrence?: number): string | undefined {
  const { eventName, timeMs, recordId, sessionId, subjectId, properties } = event;
  const payload: JsonObject = {
    event_name: eventName,
    properties,
    ...(occurrence !== undefined && { occurrence }),
    ...(recordId !== null && { record_id: recordId }),
    ...(sessionId !== null && { session_id: sessionId }),
    ...(subjectId !== null && { subject_id: subjectId }),
  };
  const text = JSON.stringify(payload);
  // What neither may hold is written as an escape.
  if (text.includes('\\u') && hasUnusableText(payload)) return undefined;
  // Nearly always V8 writes just that, several times as fast.
  const canonical = isCanonicalJson(text, payload) ? text : canonicalize(payload);
  if (canonical === undefined) return undefined;
  const time = new Date(timeMs).toISOString().replaceAll(/\D/g, '');
  return `${source}:${time}:\\x${hash('sha256', canonical, 'hex')}`;
}
