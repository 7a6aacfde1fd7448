import { createTaxonomyCompiler } from '@backfill/core/config/taxonomy-compiler';
import { compileUpcastModule } from '@backfill/core/config/upcast-module';
import { parseEventTime, parseZoneOffset } from '@backfill/core/domain/event-time';
import { isJsonObject, type JsonObject, type JsonValue } from '@backfill/core/domain/json';
import { findUpcastPath } from '@backfill/core/domain/schema-version';
import type { RawLine } from '@backfill/core/formats/raw-line';
import type { FileFormat } from '@backfill/core/formats/source-format';
import type { KeyRing } from '@backfill/core/recipe/key-ring';
import { compileRecordReader } from '@backfill/core/recipe/read-record';
import type { Recipe } from '@backfill/core/recipe/recipe';
import { type EventFields, secondEventId } from './second-event-id.ts';
import { fieldAt, type SecondIds, secondIds, UNUSABLE } from './second-ids.ts';
import { propertiesReading } from './second-properties.ts';

/** What a line becomes, by a second hand. */
export type SecondOutcome =
  | { outcome: 'accepted'; eventId: string; subjectId: string | null }
  | { outcome: 'quarantined'; subjectId: string | null }
  | { outcome: 'filtered' | 'expired' };

/** Reads one line of the mirror. Who is suppressed is left to the caller: the outcome is that for anybody. */
export type SecondReading = (line: RawLine) => SecondOutcome;

const FILTERED: SecondOutcome = { outcome: 'filtered' };
const EXPIRED: SecondOutcome = { outcome: 'expired' };
const QUARANTINED: SecondOutcome = { outcome: 'quarantined', subjectId: null };
const OWN_NAMES = { '*': '*' };
const VERSION = /^\d+-\d+-\d+$/;

/**
 * Compiles the second reading of a batch's raw lines: from the recipe (the contract) and the parsers to the event id,
 * in the plainest way, and without the transformer's code. Where the two disagree, one of them is wrong.
 */
export function compileSecondReading(recipe: Recipe, keys: KeyRing, file: FileFormat): SecondReading {
  const { source, window } = recipe;
  const { mapping } = source;
  const readRecord = compileRecordReader(file, {
    exactIntegers: mapping.time.format === 'epoch-ns',
    csv: source.csv ?? {},
  });
  const zoneMs = mapping.time.zone === undefined ? undefined : parseZoneOffset(mapping.time.zone);
  const ids = secondIds(recipe, keys);
  const readProperties = compileVersionedProperties(recipe, ids);

  function eventNameOf(record: JsonObject): string | undefined | typeof QUARANTINED {
    if ('constant' in mapping.event_name) return mapping.event_name.constant;
    const raw = fieldAt(record, mapping.event_name.path);
    if (typeof raw !== 'string' || raw === '') return QUARANTINED;
    const { values } = mapping.event_name;
    if (values === undefined) return raw;
    return Object.hasOwn(values, raw) ? values[raw] : undefined;
  }

  /** Why a record is no event of the batch, whatever else stands in it; undefined for one that may be. */
  function timeOutcome(timeMs: number): SecondOutcome | undefined {
    if (timeMs < window.startMs || timeMs >= window.endMs) return FILTERED;
    return recipe.latestEventMs !== null && timeMs > recipe.latestEventMs ? QUARANTINED : undefined;
  }

  function identified(record: JsonObject, eventName: string, timeMs: number, line: RawLine): SecondOutcome {
    const recordId = ids.read(mapping.record_id, record, timeMs);
    const sessionId = ids.read(mapping.session_id, record, timeMs);
    const subjectId = ids.read(mapping.subject_id, record, timeMs);
    if (recordId === UNUSABLE || sessionId === UNUSABLE || subjectId === UNUSABLE) return QUARANTINED;
    if (recordId === null && source.identity === 'record-id') return QUARANTINED;
    const properties = readProperties(eventName, record, timeMs);
    return outcomeOf(recipe, { eventName, timeMs, recordId, sessionId, subjectId, properties }, line);
  }

  return (line) => {
    const read = readRecord(line);
    if (!read.ok) return read.outcome.outcome === 'filtered' ? FILTERED : QUARANTINED;
    const { record } = read;
    const timeMs = parseEventTime(fieldAt(record, mapping.time.path), mapping.time.format, zoneMs);
    if (typeof timeMs === 'string') return QUARANTINED;
    const outside = timeOutcome(timeMs);
    if (outside !== undefined) return outside;
    const eventName = eventNameOf(record);
    if (eventName === QUARANTINED) return QUARANTINED;
    if (typeof eventName !== 'string' || !Object.hasOwn(recipe.taxonomy, eventName)) return FILTERED;
    if (recipe.retentionCutoffMs !== null && timeMs < recipe.retentionCutoffMs) return EXPIRED;
    return identified(record, eventName, timeMs, line);
  };
}

/** The event of a line; quarantined where it has no properties, or such that cannot be written. */
export function outcomeOf(
  recipe: Recipe,
  event: Omit<EventFields, 'properties'> & { properties: JsonObject | undefined },
  { occurrence = 1 }: Pick<RawLine, 'occurrence'>,
): SecondOutcome {
  const { subjectId, properties } = event;
  const number = recipe.source.identity === 'payload+occurrence' ? occurrence : undefined;
  const eventId = properties && secondEventId(recipe.source.source, { ...event, properties }, number);
  return eventId === undefined ? { outcome: 'quarantined', subjectId } : { outcome: 'accepted', eventId, subjectId };
}

type VersionedReading = (eventName: string, record: JsonObject, timeMs: number) => JsonObject | undefined;

/** Properties of a record of any version, in the pinned one and as its schema wants them. */
function compileVersionedProperties(recipe: Recipe, ids: SecondIds): VersionedReading {
  const { properties: mapping, schema_version: versionMapping } = recipe.source.mapping;
  const readKept = propertiesReading(recipe, ids, mapping);
  const readOpen = propertiesReading(recipe, ids, mapping, true);
  const readLifted = propertiesReading(recipe, ids, OWN_NAMES);
  const compile = createTaxonomyCompiler();
  const events = new Map(
    Object.entries(recipe.taxonomy).map(([name, { version, schema }]) => [
      name,
      { version, schema, isValid: compile(schema), steps: upcastsOf(recipe, name) },
    ]),
  );

  function versionOf(record: JsonObject): string | undefined {
    if (versionMapping === undefined) return undefined;
    if ('constant' in versionMapping) return versionMapping.constant;
    const named = fieldAt(record, versionMapping.path);
    if (named === undefined || named === null || named === '') return versionMapping.default;
    return typeof named === 'string' && VERSION.test(named) ? named : undefined;
  }

  return (eventName, record, timeMs) => {
    const event = events.get(eventName);
    if (event === undefined) return undefined;
    const { version, schema, steps, isValid } = event;
    const written = versionMapping === undefined ? version : versionOf(record);
    const path = written === undefined ? undefined : findUpcastPath(steps.path, written, version);
    if (path === undefined) return undefined;
    const [first] = path;
    const from = first === undefined ? undefined : steps.schemas.get(first);
    let kept: JsonObject | undefined;
    if (from === undefined) {
      kept = readKept(schema, record, timeMs);
    } else {
      const open = readOpen(from, record, timeMs);
      const lifted = open && path.reduce<JsonObject | undefined>((at, step) => at && steps.lift(step, at), open);
      kept = lifted && readLifted(schema, lifted, timeMs);
    }
    return kept !== undefined && isValid(kept) ? kept : undefined;
  };
}

function upcastsOf(recipe: Recipe, eventName: string) {
  const steps = recipe.upcasts[eventName] ?? [];
  const modules = new Map(steps.map(({ from, text }) => [from, compileUpcastModule(text)]));
  return {
    path: new Map(steps.map(({ from, to }) => [from, to])),
    schemas: new Map(steps.map(({ from, schema }) => [from, schema])),
    lift(from: string, properties: JsonObject): JsonObject | undefined {
      const text = JSON.stringify(properties);
      // What JSON text would change.
      if (text === undefined || !isFaithful(properties)) return undefined;
      const lifted = modules.get(from)?.(text);
      const value: JsonValue | undefined = lifted === undefined ? undefined : (JSON.parse(lifted) as JsonValue);
      return isJsonObject(value) ? value : undefined;
    },
  };
}

/** False for numbers and texts that JSON cannot write. */
function isFaithful(value: JsonValue): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([name, member]) => name.isWellFormed() && isFaithful(member as JsonValue));
}
