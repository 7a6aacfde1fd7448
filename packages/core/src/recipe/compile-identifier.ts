import type { IdentifierMapping } from '../config/source.ts';
import type { JsonObject } from '../domain/json.ts';
import { opaqueId } from './opaque-id.ts';
import type { PiiContext } from './pii-context.ts';
import { rawIdentifier } from './raw-identifier.ts';
import { compilePath } from './read-path.ts';

/** An identifier as it may be stored; null where the record has none. */
export type Identifier = { ok: true; id: string | null } | { ok: false; reason: 'not_an_identifier' | 'personal_data' };

export type IdentifierReader = (record: JsonObject, eventTsMs: number) => Identifier;

const NO_ID: Identifier = { ok: true, id: null };
const NOT_AN_IDENTIFIER: Identifier = { ok: false, reason: 'not_an_identifier' };
const PERSONAL_DATA: Identifier = { ok: false, reason: 'personal_data' };

/** Compiles the place and the rule of a record's, a session's or a subject's id. */
export function compileIdentifier(mapping: IdentifierMapping | undefined, context: PiiContext): IdentifierReader {
  if (mapping === undefined) return () => NO_ID;
  const read = compilePath(mapping.path);
  const domain = mapping.pii === 'pseudonymise' ? mapping.domain : undefined;
  return (record, eventTsMs) => {
    const value = read(record);
    if (value === undefined || value === null || value === '') return NO_ID;
    const raw = rawIdentifier(value);
    if (raw === undefined) return NOT_AN_IDENTIFIER;
    if (domain !== undefined) {
      const id = context.pseudonymise(domain, raw, eventTsMs);
      return id === undefined ? PERSONAL_DATA : { ok: true, id };
    }
    if (opaqueId(raw) === undefined) return NOT_AN_IDENTIFIER;
    return context.isPersonalIdentifier(raw) ? PERSONAL_DATA : { ok: true, id: raw };
  };
}
