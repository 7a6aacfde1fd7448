import { isJsonObject } from '../domain/json.ts';
import { propertyPath, type SourceConfig } from './source.ts';
import type { Taxonomy } from './taxonomy.ts';

/** Every place in a raw record that a source's mapping can read, for all versions of its events. */
export function mappedPaths(source: SourceConfig, taxonomy: Taxonomy): ReadonlySet<string> {
  const { properties, ...places } = source.mapping;
  const paths = new Set<string>();
  for (const place of Object.values(places)) {
    if (place !== undefined && 'path' in place) paths.add(place.path);
  }
  for (const eventName of Object.keys(source.events)) {
    for (const schema of taxonomy.get(eventName)?.values() ?? []) {
      const names = isJsonObject(schema.properties) ? Object.keys(schema.properties) : [];
      for (const path of names.map((name) => propertyPath(properties, name))) if (path !== undefined) paths.add(path);
    }
  }
  return paths;
}

/** Whether a column, or something within it, is at one of these places; `user.id` and `user` are within each other. */
export function isMappedColumn(paths: ReadonlySet<string>, column: string): boolean {
  for (const path of paths) {
    if (path === column || path.startsWith(`${column}.`) || column.startsWith(`${path}.`)) return true;
  }
  return false;
}
