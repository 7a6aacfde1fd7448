import { isJsonObject, type JsonObject } from '../domain/json.ts';
import { compareSchemaVersions } from '../domain/schema-version.ts';
import type { ConfigMistake } from './config-error.ts';
import type { Taxonomy } from './taxonomy.ts';

/**
 * Adds a mistake where a version says by its number that it is an addition (the third number alone differs) and data of
 * the version before would not fit it: such data is taken without an upcast.
 */
export function checkAdditions(taxonomy: Taxonomy, mistakes: ConfigMistake[]): void {
  for (const [eventName, versions] of taxonomy) {
    const inOrder = [...versions].sort(([a], [b]) => compareSchemaVersions(a, b));
    for (const [index, [version, schema]] of inOrder.entries()) {
      const [before, older] = inOrder[index - 1] ?? [];
      if (before === undefined || older === undefined || revisionOf(before) !== revisionOf(version)) continue;
      const file = `taxonomy/events/${eventName}/${version}.schema.json`;
      for (const { path, problem } of additionProblems(older, schema, '')) {
        mistakes.push({ file, path, message: `${problem}, so it is no addition to ${before}` });
      }
    }
  }
}

function revisionOf(version: string): string {
  return version.slice(0, version.lastIndexOf('-'));
}

function additionProblems(older: JsonObject, newer: JsonObject, path: string): { path: string; problem: string }[] {
  const known = childrenOf(older);
  const kept = childrenOf(newer);
  const gone = [...known.keys()].filter((name) => !kept.has(name));
  const demanded = requiredOf(newer).filter((name) => !requiredOf(older).includes(name));
  return [
    ...gone.map((name) => ({ path: `${path}/properties/${name}`, problem: 'is gone' })),
    ...demanded.map((name) => ({ path: `${path}/required`, problem: `now requires ${name}` })),
    ...[...kept].flatMap(([name, property]) => {
      const before = known.get(name);
      const at = `${path}/properties/${name}`;
      if (before === undefined) return [];
      if (JSON.stringify(before.type) !== JSON.stringify(property.type))
        return [{ path: `${at}/type`, problem: 'changed' }];
      return [...boundProblems(before, property, at), ...additionProblems(before, property, at)];
    }),
  ];
}

/** What was let through before must be let through now. */
function boundProblems(older: JsonObject, newer: JsonObject, path: string): { path: string; problem: string }[] {
  const isNarrower = (keyword: string): boolean => {
    const [before, now] = [older[keyword], newer[keyword]];
    if (typeof now !== 'number') return false;
    if (typeof before !== 'number') return true;
    return keyword === 'minimum' ? now > before : now < before;
  };
  const values = Array.isArray(newer.enum) ? newer.enum : undefined;
  const lost =
    values !== undefined && !(Array.isArray(older.enum) && older.enum.every((value) => values.includes(value)));
  return [
    ...['minimum', 'maximum', 'maxLength', 'maxItems']
      .filter(isNarrower)
      .map((keyword) => ({ path: `${path}/${keyword}`, problem: 'is narrower' })),
    ...(lost ? [{ path: `${path}/enum`, problem: 'lacks a value' }] : []),
  ];
}

function childrenOf(node: JsonObject): Map<string, JsonObject> {
  const properties = isJsonObject(node.properties) ? Object.entries(node.properties) : [];
  return new Map(properties.filter((entry): entry is [string, JsonObject] => isJsonObject(entry[1])));
}

function requiredOf(node: JsonObject): string[] {
  return Array.isArray(node.required) ? node.required.map(String) : [];
}
