import { isJsonObject, type JsonObject, type JsonValue } from '../domain/json.ts';
import { isCanonicalJson, tryParseJson } from '../domain/try-json.ts';
import { compileSchemas } from './compile-schemas.ts';
import type { Recipe } from './recipe.ts';
import { schemaReason } from './schema-reason.ts';

/** A stored row, as far as the schema gate looks at it. */
export interface StoredEvent {
  event_name: string;
  schema_version: string;
  payload: string;
}

/**
 * What is wrong with a stored event, as a code with a place; undefined when nothing is.
 *
 * @param payload of the event, parsed, for who has it
 */
export type TaxonomyCheck = (event: StoredEvent, payload?: JsonValue) => string | undefined;

/** Every name that a payload may have. */
export const PAYLOAD_NAMES = ['event_name', 'occurrence', 'properties', 'record_id', 'session_id', 'subject_id'];

/**
 * Compiles the check of stored events against the recipe's taxonomy. Shares no code with the
 * mapping: it works on the payload text alone, which must be canonical and satisfy its schema.
 */
export function compileTaxonomyCheck(recipe: Recipe): TaxonomyCheck {
  const schemaOf = compileSchemas(recipe);
  return (event, payload = tryParseJson(event.payload)) => {
    const validate = schemaOf(event.event_name, event.schema_version);
    if (validate === undefined) return 'schema: the event is not in the recipe';
    if (!isJsonObject(payload)) return 'payload: not a JSON object';
    const problem = payloadProblem(payload, event);
    if (problem !== undefined) return problem;
    return validate(payload.properties) ? undefined : schemaReason(validate.errors);
  };
}

function payloadProblem(payload: JsonObject, event: StoredEvent): string | undefined {
  if (Object.keys(payload).some((name) => !PAYLOAD_NAMES.includes(name))) {
    return 'payload: an unknown field';
  }
  if (payload.event_name !== event.event_name) return 'payload: another event_name';
  if (!isCanonicalJson(event.payload, payload)) return 'payload: not canonical';
  return undefined;
}
