import type { ValidateFunction } from 'ajv';
import type { Taxonomy } from '../config/taxonomy.ts';
import { createTaxonomyAjv } from '../config/taxonomy-ajv.ts';
import { eventId } from '../domain/event-id.ts';
import { parseEventTime } from '../domain/event-time.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../domain/json.ts';
import { SOURCE_NAME } from '../domain/source-name.ts';
import { tryCanonicalJson, tryParseJson } from '../domain/try-json.ts';
import { hasPersonalData } from './detectors/mask-personal-data.ts';
import { PAYLOAD_NAMES } from './validate-event.ts';

/** Something wrong in a line, at a JSON pointer; the message never has a value of the line. */
export interface LineViolation {
  path: string;
  message: string;
}

/** Lists everything wrong with one line of transformed NDJSON. */
export type EventLineLinter = (text: string) => LineViolation[];

type Add = (path: string, message: string) => void;

const FIELDS: Readonly<Record<string, (value: JsonValue) => boolean>> = {
  event_id: isText,
  source: (value) => isText(value) && SOURCE_NAME.test(value),
  event_name: isText,
  schema_version: isText,
  event_ts: (value) => isText(value) && RFC3339_MS.test(value),
  session_id: isTextOrNull,
  subject_id: isTextOrNull,
  payload: (value) => isText(value) || isJsonObject(value),
  source_file: isText,
  line_no: (value) => Number.isSafeInteger(value) && Number(value) >= 1,
};
const EXPECTED: Readonly<Record<string, string>> = {
  source: 'must be the name of a source',
  event_ts: 'must be an RFC 3339 time with an offset and at most milliseconds',
  session_id: 'must be a text or null',
  subject_id: 'must be a text or null',
  payload: 'must be a JSON object, or its text',
  line_no: 'must be a line number from 1',
};
const RFC3339_MS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?(?:Z|[+-]\d\d:\d\d)$/;

/**
 * Compiles the check of a transformed file's lines: the fields of the contract, the payload in canonical form and
 * against its schema, the projected columns, and the event id computed again.
 */
export function compileEventLineLinter(taxonomy: Taxonomy): EventLineLinter {
  const lintProperties = compilePropertiesLinter(taxonomy);
  return (text) => {
    const violations: LineViolation[] = [];
    const add: Add = (path, message) => violations.push({ path, message });
    const line = tryParseJson(text);
    if (!isJsonObject(line)) {
      add('', line === undefined ? 'is not JSON' : 'is not a JSON object');
      return violations;
    }
    lintFields(line, add);
    const payload = readPayload(line.payload, add);
    if (payload === undefined) return violations;
    lintIdentity(line, payload.text, add);
    lintPayload(line, payload.value, add);
    lintProperties(line, payload.value, add);
    return violations;
  };
}

function lintFields(line: JsonObject, add: Add): void {
  for (const [name, isGood] of Object.entries(FIELDS)) {
    const value = line[name];
    if (value === undefined) add(`/${name}`, 'is missing');
    else if (!isGood(value)) add(`/${name}`, EXPECTED[name] ?? 'must be a text');
  }
  // A field that nobody knows may be named by a value, so its name is not repeated.
  const others = Object.keys(line).filter((name) => !Object.hasOwn(FIELDS, name)).length;
  if (others > 0) add('', `has ${others} unknown field(s)`);
}

/** The payload and the text that was hashed: as it stands, or the canonical form of an embedded object. */
function readPayload(payload: JsonValue | undefined, add: Add): { value: JsonObject; text: string } | undefined {
  const value = typeof payload === 'string' ? tryParseJson(payload) : payload;
  if (!isJsonObject(value)) {
    if (typeof payload === 'string' && payload !== '') add('/payload', 'is not the text of a JSON object');
    return undefined;
  }
  const text = tryCanonicalJson(value);
  if (text === undefined || (typeof payload === 'string' && payload !== text)) add('/payload', 'is not canonical JSON');
  const hashed = typeof payload === 'string' ? payload : text;
  return hashed === undefined ? undefined : { value, text: hashed };
}

function lintIdentity(line: JsonObject, payloadText: string, add: Add): void {
  const { event_id: id, source, event_ts: eventTs } = line;
  if (!isText(id) || !isText(source) || !isText(eventTs)) return;
  const timeMs = parseEventTime(eventTs, 'iso');
  if (typeof timeMs === 'string') add('/event_ts', `is not a time that exists (${timeMs})`);
  else if (id !== eventId(source, timeMs, payloadText))
    add('/event_id', 'is not the id of source, event_ts and payload');
}

function lintPayload(line: JsonObject, payload: JsonObject, add: Add): void {
  const others = Object.keys(payload).filter((name) => !PAYLOAD_NAMES.includes(name)).length;
  if (others > 0) add('/payload', `has ${others} unknown field(s)`);
  if (payload.event_name !== line.event_name) add('/payload/event_name', 'is not the event_name of the line');
  for (const name of ['session_id', 'subject_id']) {
    if ((payload[name] ?? null) !== (line[name] ?? null)) add(`/payload/${name}`, `is not the ${name} of the line`);
  }
}

function compilePropertiesLinter(taxonomy: Taxonomy): (line: JsonObject, payload: JsonObject, add: Add) => void {
  const ajv = createTaxonomyAjv({ allErrors: true });
  const compiled = new Map<JsonObject, ValidateFunction>();
  return (line, payload, add) => {
    const { event_name: eventName, schema_version: version } = line;
    if (!isText(eventName) || !isText(version)) return;
    const schema = taxonomy.get(eventName)?.get(version);
    if (schema === undefined) {
      if (taxonomy.has(eventName)) add('/schema_version', 'is not a version of this event in the taxonomy');
      else add('/event_name', 'is not in the taxonomy');
      return;
    }
    const validate = compiled.get(schema) ?? ajv.compile(schema);
    compiled.set(schema, validate);
    const at = '/payload/properties';
    if (!validate(payload.properties)) {
      for (const { instancePath, message, keyword } of validate.errors ?? []) {
        add(`${at}${instancePath}`, message ?? `fails ${keyword}`);
      }
    }
    if (isJsonObject(payload.properties)) lintRules(schema, payload.properties, at, add);
  };
}

/** What the schema alone does not see: dropped properties, and addresses in texts that were searched for them. */
function lintRules(schema: JsonObject, values: JsonObject, at: string, add: Add): void {
  if (!isJsonObject(schema.properties)) return;
  for (const [name, property] of Object.entries(schema.properties)) {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined || !isJsonObject(property)) continue;
    const path = `${at}/${name}`;
    if (property['x-pii'] === 'drop') add(path, 'is dropped by the taxonomy');
    else if (property['x-pii'] === 'scan' && texts(value).some(hasPersonalData)) add(path, 'holds personal data');
    else if (isJsonObject(value)) lintRules(property, value, path, add);
  }
}

function texts(value: JsonValue): string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.flatMap(texts) : [];
}

function isText(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && value !== '';
}

function isTextOrNull(value: JsonValue): boolean {
  return value === null || isText(value);
}
