import { propertyPath, type SourceConfig } from '../config/source.ts';
import type { PiiRule } from '../config/taxonomy.ts';
import { isNullable, schemaTypes } from '../config/taxonomy-lint.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../domain/json.ts';
import { compilePiiRule, type Pseudonymise } from './pii-rule.ts';
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
  pseudonymise: Pseudonymise,
): PropertiesReader {
  const fields: { name: string; read: PathReader; keep: Keep }[] = [];
  for (const [name, property] of sortedProperties(schema)) {
    const path = propertyPath(mapping, name);
    if (path === undefined || property['x-pii'] === 'drop') continue;
    fields.push({
      name,
      read: compilePath(path),
      keep: compileValue(name, property, pseudonymise),
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

function compileValue(name: string, node: JsonObject, pseudonymise: Pseudonymise): Keep {
  const rule = node['x-pii'] as PiiRule;
  const domain = (node['x-pii-domain'] as string | undefined) ?? name;
  const keep = compileNode(node, compilePiiRule(rule, domain, pseudonymise), pseudonymise);
  const nullKept = isNullable(node) ? null : undefined;
  return (value, eventTsMs) => (value === null ? nullKept : keep(value, eventTsMs));
}

function compileNode(node: JsonObject, rule: Keep, pseudonymise: Pseudonymise): Keep {
  const [type] = schemaTypes(node);
  if (type === 'object') return compileObject(node, pseudonymise);
  if (type === 'array') {
    const keepItem = compileNode(node.items as JsonObject, rule, pseudonymise);
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

function compileObject(node: JsonObject, pseudonymise: Pseudonymise): Keep {
  const fields = sortedProperties(node)
    .filter(([, property]) => property['x-pii'] !== 'drop')
    .map(([name, property]) => ({ name, keep: compileValue(name, property, pseudonymise) }));
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
