import { isJsonObject, type JsonObject } from '../domain/json.ts';
import { findUpcastPath } from '../domain/schema-version.ts';
import type { ConfigMistake } from './config-error.ts';
import type { Policy } from './policy.ts';
import { propertyPath, rawPathProblem, type SourceConfig } from './source.ts';
import type { Taxonomy, Upcasts } from './taxonomy.ts';

interface LooseConfig {
  policy: Policy | undefined;
  sources: ReadonlyMap<string, SourceConfig>;
  taxonomy: Taxonomy;
  upcasts: Upcasts;
}

/** Adds the mistakes that only show between files, or between the parts of one. */
export function crossCheck(config: LooseConfig, mistakes: ConfigMistake[]): void {
  if (config.policy !== undefined) {
    checkPolicy(config.policy, config, (path, message) => mistakes.push({ file: 'policy.yaml', path, message }));
  }
  for (const source of config.sources.values()) {
    const add = (path: string, message: string): void => {
      mistakes.push({ file: `sources/${source.source}.yaml`, path, message });
    };
    checkIdentity(source, add);
    checkPseudonym(source, add);
    checkEventNames(source, add);
    checkSchemaVersion(source, config.upcasts, add);
    checkProperties(source, config.taxonomy, add);
  }
}

type AddMistake = (path: string, message: string) => void;

function checkPolicy({ gates, kpi }: Policy, { sources, taxonomy }: LooseConfig, add: AddMistake): void {
  const named = [
    ['/gates/sources', gates.sources],
    ['/kpi/not_applicable/sources', kpi.not_applicable.sources],
  ] as const;
  for (const [path, bySource] of named) {
    for (const name of Object.keys(bySource)) {
      if (!sources.has(name)) add(`${path}/${name}`, 'there is no such source (or it has mistakes)');
    }
  }
  for (const [index, step] of (kpi.funnel?.steps ?? []).entries()) {
    if (!taxonomy.has(step)) add(`/kpi/funnel/steps/${index}`, 'is no event of the taxonomy');
  }
}

function checkIdentity(source: SourceConfig, add: AddMistake): void {
  const hasRecordId = source.mapping.record_id !== undefined;
  if (source.identity === 'record-id' && !hasRecordId) {
    add('/mapping/record_id', 'is needed for the identity record-id');
  }
  if (source.identity !== 'record-id' && hasRecordId) {
    add('/mapping/record_id', `does not go with the identity ${source.identity}`);
  }
}

function checkPseudonym({ region, pseudonym, mapping }: SourceConfig, add: AddMistake): void {
  if (mapping.subject_id?.pii === 'none') {
    add(
      '/mapping/subject_id/pii',
      "must be pseudonymise: a person's id names a person, and suppressions go by pseudonyms",
    );
  }
  if (region === 'eu') return;
  if (pseudonym === 'passthrough')
    add('/pseudonym', 'a source from outside the EU cannot pass its identifiers through');
  if (mapping.session_id?.pii === 'none') {
    add('/mapping/session_id/pii', 'must be pseudonymise for a source from outside the EU');
  }
}

function checkEventNames(source: SourceConfig, add: AddMistake): void {
  const { event_name: eventName } = source.mapping;
  const known = Object.keys(source.events);
  if (known.length === 0) add('/events', 'must name at least one event');
  const produced =
    'constant' in eventName
      ? new Map([['/mapping/event_name/constant', eventName.constant]])
      : new Map(
          Object.entries(eventName.values ?? {}).map(([raw, name]) => [`/mapping/event_name/values/${raw}`, name]),
        );
  for (const [path, name] of produced) {
    if (!known.includes(name)) add(path, `${name} is not in this source's events`);
  }
  if (!('constant' in eventName) && eventName.values === undefined) return;
  const names = new Set(produced.values());
  for (const name of known) {
    if (!names.has(name)) add(`/events/${name}`, 'no raw name becomes this event');
  }
}

/** A version that is given for every record must have a way up to the one of each event. */
function checkSchemaVersion(source: SourceConfig, upcasts: Upcasts, add: AddMistake): void {
  const mapping = source.mapping.schema_version;
  if (mapping === undefined) return;
  const [key, version] = 'constant' in mapping ? ['constant', mapping.constant] : ['default', mapping.default];
  if (version === undefined) return;
  for (const [eventName, pinned] of Object.entries(source.events)) {
    const steps = new Map([...(upcasts.get(eventName) ?? [])].map(([from, { to }]) => [from, to]));
    if (findUpcastPath(steps, version, pinned) !== undefined) continue;
    add(`/mapping/schema_version/${key}`, `no upcasts lead from ${eventName} ${version} to ${pinned}`);
  }
}

function checkProperties(source: SourceConfig, taxonomy: Taxonomy, add: AddMistake): void {
  const isLifted = source.mapping.schema_version !== undefined;
  for (const [eventName, version] of Object.entries(source.events)) {
    const schema = taxonomy.get(eventName)?.get(version);
    if (schema === undefined) add(`/events/${eventName}`, `there is no schema ${version} (or it has mistakes)`);
    // What an upcast makes needs no place in the raw record.
    else if (!isLifted) checkRequired(source, `${eventName} ${version}`, schema, add);
  }
  const known = readableProperties(source, taxonomy);
  for (const [property, mapping] of Object.entries(source.mapping.properties)) {
    const at = `/mapping/properties/${property}`;
    if (property !== '*' && !known.has(property)) add(at, 'no event of this source has such a property');
    if (typeof mapping === 'string') checkPropertyPath(mapping, property === '*', at, add);
    else if (property === '*') add(at, 'must be a path');
    else if ('path' in mapping) checkPropertyPath(mapping.path, false, `${at}/path`, add);
  }
}

/** The properties of the source's events; where records are lifted, those of every version. */
function readableProperties(source: SourceConfig, taxonomy: Taxonomy): Set<string> {
  const isLifted = source.mapping.schema_version !== undefined;
  const schemas = Object.entries(source.events).flatMap(([eventName, pinned]) =>
    [...(taxonomy.get(eventName) ?? [])].filter(([version]) => isLifted || version === pinned),
  );
  return new Set(schemas.flatMap(([, schema]) => Object.keys(childObject(schema, 'properties'))));
}

function checkRequired(source: SourceConfig, schemaName: string, schema: JsonObject, add: AddMistake): void {
  const required = Array.isArray(schema.required) ? schema.required : [];
  for (const property of required) {
    const { properties } = source.mapping;
    const isMapped =
      propertyPath(properties, String(property)) !== undefined || Object.hasOwn(properties, String(property));
    if (isMapped) continue;
    add('/mapping/properties', `${schemaName} requires ${String(property)}`);
  }
}

function checkPropertyPath(path: string, isRest: boolean, at: string, add: AddMistake): void {
  const stars = path.split('*').length - 1;
  if (stars !== (isRest ? 1 : 0)) add(at, 'a * stands once in the path of *, and nowhere else');
  const problem = rawPathProblem(path);
  if (problem !== undefined) add(at, problem);
}

function childObject(parent: JsonObject, name: string): JsonObject {
  const child = parent[name];
  return isJsonObject(child) ? child : {};
}
