import type { Region, SourceConfig } from '../config/source.ts';
import type { FormatName } from '../domain/format-name.ts';
import type { JsonObject, JsonValue } from '../domain/json.ts';
import type { KpiName } from '../domain/kpi.ts';
import { compilePath } from '../recipe/read-path.ts';
import {
  chooseEventName,
  chooseRecordId,
  chooseSessionId,
  chooseSubjectId,
  chooseTime,
  isAddress,
  type TimeChoice,
} from './choose-fields.ts';
import { draftProperty } from './draft-property.ts';
import { collectFields, type FieldStats, snakeName, valuesOf } from './field-stats.ts';

/** A first source and taxonomy, for a person to finish. */
export interface ConfigDraft {
  source: SourceConfig;
  /** Event name → schema of its version 1-0-0. */
  schemas: Map<string, JsonObject>;
  /** KPIs that the source cannot have, with the reasons. */
  notApplicable: Partial<Record<KpiName, string>>;
  /** What was decided, one line each. */
  decisions: string[];
  /** What a person has to look at, one line each. */
  todo: string[];
}

const VERSION = '1-0-0';
/** Ids that are made by machines and name nobody. */
const MACHINE_ID = /^(?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{16,64}|[0-7][0-9A-HJKMNP-TV-Z]{25})$/i;

/**
 * Drafts the configuration of a source from a sample of its records: everything that may be personal is dropped or
 * pseudonymised, and said to be in doubt.
 *
 * @param given.csv the column types of CSV files
 * @param given.region where the data comes from, if somebody said so
 * @throws RangeError when there is no record
 */
export function draftConfig(
  source: string,
  format: FormatName,
  records: readonly JsonObject[],
  given: { csv?: SourceConfig['csv']; region?: Region | undefined } = {},
): ConfigDraft {
  if (records.length === 0) throw new RangeError('there is no record to learn from');
  const fields = [...collectFields(records).values()];
  const { csv, region = 'eu' } = given;
  const todo: string[] = [];
  const decisions: string[] = [];
  if (given.region === undefined) todo.push('region: eu was assumed; say where the data was collected.');
  const time = draftTime(fields, records.length, decisions, todo);
  const eventName = draftEventName(source, fields, records.length, decisions, todo);
  const ids = draftIds(fields, records.length, decisions, todo);
  const used = new Set([time.path, eventName.field?.path, ...ids.used]);
  const names = nameProperties(fields.filter(({ path }) => !used.has(path)));
  const schemas = draftSchemas(eventName, records, names, todo);
  const known = new Set([...schemas.values()].flatMap(({ properties = {} }) => Object.keys(properties ?? {})));
  const mapped = [...names].filter(([, name]) => known.has(name));
  const properties = Object.fromEntries(mapped.map(([path, name]) => [name, path]));
  const notApplicable = inapplicableKpis(ids.mapping);
  for (const [kpi, why] of Object.entries(notApplicable)) {
    todo.push(`policy.yaml must say kpi.not_applicable.sources.${source}.${kpi}: ${why}. Else that gate fails.`);
  }
  if (notApplicable.activation_funnel === undefined) {
    todo.push(
      'policy.yaml must name the steps of an activation (kpi.funnel), or declare activation_funnel not applicable.',
    );
  }
  return {
    source: {
      version: 1,
      source,
      format,
      ...(csv === undefined ? {} : { csv }),
      region,
      pseudonym: 'hmac',
      identity: draftIdentity(format, ids.mapping.record_id !== undefined),
      events: Object.fromEntries([...schemas.keys()].map((name) => [name, VERSION])),
      mapping: { time, event_name: eventName.mapping, ...ids.mapping, properties },
    },
    schemas,
    notApplicable,
    decisions,
    todo,
  };
}

/** KPIs that a source cannot have without these ids, each with the reason that a report will show. */
function inapplicableKpis({ session_id, subject_id }: Pick<Mapping, 'session_id' | 'subject_id'>) {
  const why: ConfigDraft['notApplicable'] = {};
  if (session_id === undefined) why.daily_active_sessions = 'no id of a session was found in its records';
  if (subject_id === undefined) why.activation_funnel = 'no id of a person was found in its records';
  return why;
}

/** A web server writes each request once, and its times are too coarse to tell requests apart. */
function draftIdentity(format: FormatName, hasRecordId: boolean): SourceConfig['identity'] {
  if (hasRecordId) return 'record-id';
  return format === 'combined' ? 'payload+occurrence' : 'payload';
}

type Mapping = SourceConfig['mapping'];

function draftTime(
  fields: readonly FieldStats[],
  records: number,
  decisions: string[],
  todo: string[],
): Mapping['time'] {
  const choice: TimeChoice | undefined = chooseTime(fields, records);
  if (choice === undefined) {
    const path = fields[0]?.path ?? 'time';
    todo.push(`mapping.time: no field looks like a time; ${path} only stands there until you name one.`);
    return { path, format: 'iso' };
  }
  const { path, format, withoutZone } = choice;
  decisions.push(`time: ${path} (${format})`);
  if (!withoutZone) return { path, format };
  todo.push('mapping.time.zone: the times name no zone; Z was assumed.');
  return { path, format, zone: 'Z' };
}

interface EventNameDraft {
  mapping: Mapping['event_name'];
  field: FieldStats | undefined;
  /** The event of a record; undefined if it names none. */
  eventOf(record: JsonObject): string | undefined;
}

function draftEventName(
  source: string,
  fields: readonly FieldStats[],
  records: number,
  decisions: string[],
  todo: string[],
): EventNameDraft {
  const field = chooseEventName(fields, records);
  if (field === undefined) {
    const constant = `${snakeName(source)}_recorded`;
    decisions.push(`event name: always ${constant}`);
    todo.push('mapping.event_name: no field names the event; give the one event a better name.');
    return { mapping: { constant }, field, eventOf: () => constant };
  }
  const rawNames = valuesOf(field).map(String).sort();
  const values = Object.fromEntries(rawNames.map((name) => [name, snakeName(name)]));
  decisions.push(`event name: ${field.path} (${rawNames.length} names)`);
  todo.push('mapping.event_name.values: take out the names that are no events (their records are filtered).');
  const read = compilePath(field.path);
  return {
    mapping: { path: field.path, values },
    field,
    eventOf: (record) => {
      const rawName = read(record);
      return typeof rawName === 'string' ? values[rawName] : undefined;
    },
  };
}

function draftIds(
  fields: readonly FieldStats[],
  records: number,
  decisions: string[],
  todo: string[],
): { mapping: Pick<Mapping, 'record_id' | 'session_id' | 'subject_id'>; used: string[] } {
  const mapping: Pick<Mapping, 'record_id' | 'session_id' | 'subject_id'> = {};
  const used: string[] = [];
  const recordId = chooseRecordId(fields, records);
  if (recordId !== undefined) {
    used.push(recordId.path);
    const isMachineMade = valuesOf(recordId).every((value) => MACHINE_ID.test(String(value)));
    mapping.record_id = isMachineMade
      ? { path: recordId.path, pii: 'none' }
      : { path: recordId.path, pii: 'pseudonymise', domain: 'record' };
    if (!isMachineMade) todo.push(`mapping.record_id: pii none, if ${recordId.path} names nobody.`);
  } else {
    todo.push(
      'identity: no record id was found. payload makes one event of equal records, for logs that may deliver a record ' +
        'twice; payload+occurrence keeps them apart, for logs that write each record once.',
    );
  }
  const sessionId = chooseSessionId(fields.filter(({ path }) => !used.includes(path)));
  if (sessionId !== undefined) {
    used.push(sessionId.path);
    mapping.session_id = { path: sessionId.path, pii: 'pseudonymise', domain: 'session' };
  }
  const subjectId = chooseSubjectId(fields.filter(({ path }) => !used.includes(path)));
  if (subjectId !== undefined) {
    used.push(subjectId.path);
    const domain = isAddress(subjectId) ? 'client_address' : 'user';
    mapping.subject_id = { path: subjectId.path, pii: 'pseudonymise', domain };
    todo.push(`mapping.subject_id: ${subjectId.path} was taken; a person needs the same domain in every source.`);
  } else todo.push('mapping.subject_id: no id of a person was found; without one nobody can object.');
  for (const [name, id] of Object.entries(mapping)) {
    if (id !== undefined) decisions.push(`${name}: ${id.path} (${id.pii})`);
  }
  return { mapping, used };
}

/** Path → property: the last name, or as many names as it takes to be the only one. */
function nameProperties(fields: readonly FieldStats[]): Map<string, string> {
  const taken = new Set<string>();
  const names = new Map<string, string>();
  for (const { path } of fields) {
    const short = snakeName(path.slice(path.lastIndexOf('.') + 1));
    const long = snakeName(path);
    let name = taken.has(short) ? long : short;
    for (let number = 2; taken.has(name); number++) name = `${long.slice(0, 55)}_${number}`;
    taken.add(name);
    names.set(path, name);
  }
  return names;
}

function draftSchemas(
  { eventOf }: EventNameDraft,
  records: readonly JsonObject[],
  names: ReadonlyMap<string, string>,
  todo: string[],
): Map<string, JsonObject> {
  const byEvent = new Map<string, JsonObject[]>();
  for (const record of records) {
    const eventName = eventOf(record);
    if (eventName === undefined) continue;
    const own = byEvent.get(eventName);
    if (own === undefined) byEvent.set(eventName, [record]);
    else own.push(record);
  }
  const schemas = new Map<string, JsonObject>();
  for (const [eventName, own] of [...byEvent].sort(([a], [b]) => (a < b ? -1 : 1))) {
    schemas.set(eventName, draftSchema(eventName, own, names, todo));
  }
  return schemas;
}

function draftSchema(
  eventName: string,
  records: readonly JsonObject[],
  names: ReadonlyMap<string, string>,
  todo: string[],
): JsonObject {
  const properties: Record<string, JsonValue> = {};
  const doubtful: string[] = [];
  for (const field of collectFields(records).values()) {
    const name = names.get(field.path);
    if (name === undefined) continue;
    const { schema, doubt } = draftProperty(field);
    const share = Math.round((field.present / records.length) * 100);
    const seen = `${field.path}, in ${share} % of the sampled records.`;
    properties[name] = { description: doubt === undefined ? seen : `${seen} TO DO: it ${doubt}.`, ...schema };
    if (doubt !== undefined) doubtful.push(name);
  }
  if (doubtful.length > 0) todo.push(`${eventName}: decide on ${doubtful.join(', ')} (dropped for now).`);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: eventName,
    description: 'TO DO: what happened when this event was recorded?',
    type: 'object',
    additionalProperties: false,
    properties,
  };
}
