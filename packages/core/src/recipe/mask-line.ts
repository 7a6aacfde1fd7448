import { propertyPath, type SourceConfig } from '../config/source.ts';
import { COPY_FORMAT } from '../domain/format-name.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../domain/json.ts';
import { tryParseJson } from '../domain/try-json.ts';
import type { RawLine } from '../formats/raw-line.ts';
import type { StoredFormat } from '../formats/source-format.ts';
import { MASK } from '../report/samples.ts';
import type { TransformedEvent } from './line-outcome.ts';
import { compileRecordReader } from './read-record.ts';
import type { Recipe } from './recipe.ts';
import { timeForms } from './time-forms.ts';

/** A place in a record that the mapping reads, and what may be seen there. */
interface Shown {
  path: readonly string[];
  /** What the event shows of it; undefined where it shows nothing. */
  value: JsonValue | undefined;
  /** Texts of the configuration that stand for `value` in raw records. */
  words: readonly string[];
  /** The whole value or nothing; else the beginning of a text may be seen. */
  isExact: boolean;
}

/** Writes what may be seen of a raw line; of one without an event, nothing but names. */
export type LineMask = (line: RawLine, event: TransformedEvent | undefined) => string;

/**
 * Compiles the mask for the raw lines of one mirrored file. It is an allow-list: a line is read as a record, and of the
 * record only names that the configuration has at their place remain, and of the values those that the event shows, which
 * went through every privacy rule. Whatever else there is becomes {@link MASK}: one for a value of whatever size and
 * kind, one for all the fields of an object that the configuration does not know.
 */
export function compileLineMask(recipe: Recipe, file: StoredFormat): LineMask {
  const readRecord = compileReader(recipe, file);
  return (line, event) => {
    const record = readRecord(line);
    if (record === undefined) return MASK;
    const places = file.format === COPY_FORMAT ? copyPlaces(event) : mappedPlaces(recipe, event);
    return JSON.stringify(maskPlaces(record, places));
  };
}

/** What of a value is also part of another one that may be seen; the rest is masked. */
export function maskValue(value: JsonValue, shown: JsonValue | undefined, isExact = true): JsonValue {
  if (shown === undefined) return MASK;
  if (isJsonObject(value) && isJsonObject(shown)) {
    return maskNames(value, (name) =>
      Object.hasOwn(shown, name) ? maskValue(value[name] as JsonValue, shown[name], isExact) : undefined,
    );
  }
  if (Array.isArray(value) && Array.isArray(shown)) {
    const kept = value.slice(0, shown.length).map((member, at) => maskValue(member, shown[at], isExact));
    return value.length > shown.length ? [...kept, MASK] : kept;
  }
  if (typeof value === 'object' || typeof shown === 'object') return value === null && shown === null ? null : MASK;
  if (String(value) === String(shown)) return value;
  const isBeginning = typeof value === 'string' && typeof shown === 'string' && shown !== '' && value.startsWith(shown);
  return isBeginning && !isExact ? `${shown}${MASK}` : MASK;
}

function compileReader(recipe: Recipe, file: StoredFormat): (line: RawLine) => JsonObject | undefined {
  const { format, header } = file;
  if (format === COPY_FORMAT) {
    return ({ bytes }) => {
      const value = tryParseJson(bytes?.toString('utf8') ?? '');
      return isJsonObject(value) ? value : undefined;
    };
  }
  const { mapping, csv = {} } = recipe.source;
  const read = compileRecordReader({ format, header }, { exactIntegers: mapping.time.format === 'epoch-ns', csv });
  return (line) => {
    const found = read(line);
    return found.ok ? found.record : undefined;
  };
}

/** Every place that the source's mapping reads. */
function mappedPlaces({ source, taxonomy }: Recipe, event: TransformedEvent | undefined): Shown[] {
  const { mapping } = source;
  const payload = payloadOf(event);
  const properties = isJsonObject(payload?.properties) ? payload.properties : {};
  const places: Shown[] = [place(mapping.time.path, undefined, event === undefined ? [] : timeForms(event.eventTsMs))];
  if ('path' in mapping.event_name) {
    const words = wordsFor(mapping.event_name.values, event?.eventName);
    places.push(place(mapping.event_name.path, event?.eventName, words));
  }
  const { schema_version: version } = mapping;
  if (version !== undefined && 'path' in version) places.push(place(version.path, event?.schemaVersion));
  for (const id of ['record_id', 'session_id', 'subject_id'] as const) {
    const identifier = mapping[id];
    if (identifier !== undefined) places.push(place(identifier.path, payload?.[id]));
  }
  return [...places, ...propertyPlaces({ source, taxonomy }, event?.eventName, properties)];
}

/** The places of all properties, of other events too: a record shows by its names what it could have held. */
function propertyPlaces(
  { source: { mapping }, taxonomy }: Pick<Recipe, 'source' | 'taxonomy'>,
  eventName: string | undefined,
  shown: JsonObject,
): Shown[] {
  return Object.entries(taxonomy).flatMap(([ofEvent, { schema }]) =>
    Object.keys(isJsonObject(schema.properties) ? schema.properties : {}).flatMap((name) => {
      const path = propertyPath(mapping.properties, name);
      if (path === undefined) return [];
      const value = ofEvent === eventName && Object.hasOwn(shown, name) ? shown[name] : undefined;
      return [{ ...place(path, value, wordsFor(tableOf(mapping, name), value)), isExact: false }];
    }),
  );
}

/** The places in a line of a pseudonymised copy, which has the event's own names. */
function copyPlaces(event: TransformedEvent | undefined): Shown[] {
  const payload = payloadOf(event);
  const names = ['event_name', 'record_id', 'session_id', 'subject_id', 'properties'];
  return [
    ...names.map((name) => place(name, payload?.[name])),
    place('schema_version', event?.schemaVersion),
    place('event_ts', undefined, event === undefined ? [] : timeForms(event.eventTsMs)),
    // A copy names what it does not have; a payload leaves it out.
    ...names.filter((name) => payload !== undefined && !(name in payload)).map((name) => place(name, null)),
  ];
}

function payloadOf(event: TransformedEvent | undefined): JsonObject | undefined {
  const payload = event && tryParseJson(event.payload);
  return isJsonObject(payload) ? payload : undefined;
}

function place(path: string, value: JsonValue | undefined, words: readonly string[] = []): Shown {
  return { path: path.split('.'), value, words, isExact: true };
}

function tableOf({ properties }: SourceConfig['mapping'], name: string) {
  const own = properties[name];
  return typeof own === 'object' && 'values' in own ? own.values : undefined;
}

/** The raw words of a table of values that stand for this value. */
function wordsFor(table: Readonly<Record<string, JsonValue>> | undefined, value: JsonValue | undefined): string[] {
  if (value === undefined) return [];
  return Object.entries(table ?? {}).flatMap(([word, stored]) => (stored === value ? [word] : []));
}

/** Masks a record by the places that lie in it. */
function maskPlaces(record: JsonObject, places: readonly Shown[]): JsonObject {
  return maskNames(record, (name) => {
    const inside = places.filter(({ path }) => path[0] === name);
    if (inside.length === 0) return undefined;
    const value = record[name] as JsonValue;
    const here = inside.filter(({ path }) => path.length === 1);
    const seen = here.map((shown) => maskPlace(value, shown)).find((masked) => masked !== MASK);
    if (seen !== undefined) return seen;
    const below = inside.filter(({ path }) => path.length > 1);
    if (below.length === 0 || !isJsonObject(value)) return MASK;
    return maskPlaces(
      value,
      below.map((shown) => ({ ...shown, path: shown.path.slice(1) })),
    );
  });
}

function maskPlace(value: JsonValue, { value: shown, words, isExact }: Shown): JsonValue {
  if (typeof value !== 'object' && words.includes(String(value))) return value;
  return maskValue(value, shown, isExact);
}

/** @param maskMember undefined for a name that must not be seen */
function maskNames(object: JsonObject, maskMember: (name: string) => JsonValue | undefined): JsonObject {
  const masked: JsonObject = {};
  let hasUnknown = false;
  for (const name of Object.keys(object)) {
    const member = maskMember(name);
    if (member === undefined) hasUnknown = true;
    else masked[name] = member;
  }
  if (hasUnknown) masked[MASK] = MASK;
  return masked;
}
