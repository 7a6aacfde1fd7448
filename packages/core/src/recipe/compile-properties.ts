import { propertyPath, type SourceConfig } from '../config/source.ts';
import { isNullable, schemaTypes } from '../config/taxonomy-lint.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../domain/json.ts';
import type { PiiContext } from './pii-context.ts';
import { compilePiiRule } from './pii-rule.ts';
import { compilePath, type PathReader } from './read-path.ts';

/** The properties of an event as they may be stored, names in canonical order. */
export type PropertiesReader = (record: JsonObject, eventTsMs: number) => JsonObject;

type Keep = (value: JsonValue, eventTsMs: number) => JsonValue | undefined;

/**
 * Compiles the allow-list of one event: reads what the schema lists, applies each property's
 * PII rule, and leaves everything else behind. A null where the schema knows none counts as
 * absent, as loggers write it. Values of a wrong type stay, for the schema to refuse.
 */
export function compileProperties(
  schema: JsonObject,
  mapping: SourceConfig['mapping']['properties'],
  context: PiiContext,
): PropertiesReader {
  const fields: { name: string; read: PathReader; keep: Keep }[] = [];
  for (const [name, property] of sortedProperties(schema)) {
    const read = compileRead(mapping, name);
    if (read === undefined || isIgnored(property, context)) continue;
    fields.push({
      name,
      read,
      keep: compileValue(name, `/properties/${name}`, property, context),
    });
  }
  return (record, eventTsMs) => {
    const properties: JsonObject = {};
    for (const { name, read, keep } of fields) {
      const raw = read(record);
      const kept = raw === undefined ? undefined : keep(raw, eventTsMs);
      if (kept !== undefined) properties[name] = kept;
    }
    return properties;
  };
}

/** Where a property's raw value comes from; undefined if the mapping does not say. */
function compileRead(mapping: SourceConfig['mapping']['properties'], name: string): PathReader | undefined {
  const own = mapping[name];
  if (typeof own === 'object' && 'constant' in own) return () => own.constant;
  const path = propertyPath(mapping, name);
  if (path === undefined) return undefined;
  const read = compilePath(path);
  if (typeof own !== 'object') return read;
  const values = new Map(Object.entries(own.values));
  return (record) => {
    const raw = read(record);
    return typeof raw === 'object' || raw === undefined ? raw : (values.get(String(raw)) ?? raw);
  };
}

/** What is dropped is not even read, unless somebody wants to know of it. */
function isIgnored(node: JsonObject, context: PiiContext): boolean {
  return node['x-pii'] === 'drop' && context.observer === undefined;
}

function compileValue(name: string, field: string, node: JsonObject, context: PiiContext): Keep {
  const keep = compileNode(node, field, compilePiiRule(node, field, name, context), context);
  const nullKept = isNullable(node) ? null : undefined;
  return (value, eventTsMs) => (value === null ? nullKept : keep(value, eventTsMs));
}

function compileNode(node: JsonObject, field: string, rule: Keep, context: PiiContext): Keep {
  if (node['x-pii'] === 'drop') return rule;
  const [type] = schemaTypes(node);
  if (type === 'object') return compileObject(node, field, context);
  if (type === 'array') {
    const keepItem = compileNode(node.items as JsonObject, field, rule, context);
    const maxItems = node.maxItems as number;
    return (value, eventTsMs) => keepItems(value, maxItems, (item) => keepItem(item, eventTsMs));
  }
  return rule;
}

/**
 * One item more than allowed is kept, so that the schema refuses the array and no work is spent
 * on the rest. An item that a rule drops becomes null, so that the others keep their places.
 */
function keepItems(
  value: JsonValue,
  maxItems: number,
  keepItem: (item: JsonValue) => JsonValue | undefined,
): JsonValue {
  if (!Array.isArray(value)) return WRONG_TYPE;
  return value.slice(0, maxItems + 1).map((item) => keepItem(item) ?? null);
}

function compileObject(node: JsonObject, field: string, context: PiiContext): Keep {
  const fields = sortedProperties(node)
    .filter(([, property]) => !isIgnored(property, context))
    .map(([name, property]) => ({ name, keep: compileValue(name, `${field}/${name}`, property, context) }));
  return (value, eventTsMs) => {
    if (!isJsonObject(value)) return WRONG_TYPE;
    const kept: JsonObject = {};
    for (const { name, keep } of fields) {
      const member = value[name];
      const keptMember = member === undefined ? undefined : keep(member, eventTsMs);
      if (keptMember !== undefined) kept[name] = keptMember;
    }
    return kept;
  };
}

/** Stands for a value that is not the object or array it should be; every schema refuses it. */
const WRONG_TYPE = false;

/** In UTF-16 code unit order, as RFC 8785 wants the names. */
function sortedProperties(node: JsonObject): [string, JsonObject][] {
  const properties = node.properties;
  if (!isJsonObject(properties)) return [];
  return Object.entries(properties)
    .filter((entry): entry is [string, JsonObject] => isJsonObject(entry[1]))
    .sort(([a], [b]) => (a < b ? -1 : 1));
}
