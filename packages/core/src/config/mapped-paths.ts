import { isJsonObject, type JsonObject } from '../domain/json.ts';
import { propertyPath, type SourceConfig } from './source.ts';

/**
 * Every place in a raw record that a source's mapping can read.
 *
 * @param schemas of the source's events, in every version that its records may have
 */
export function mappedPaths(source: SourceConfig, schemas: Iterable<JsonObject>): ReadonlySet<string> {
  const { properties, ...places } = source.mapping;
  const paths = new Set<string>();
  for (const place of Object.values(places)) {
    if (place !== undefined && 'path' in place) paths.add(place.path);
  }
  for (const schema of schemas) {
    for (const name of isJsonObject(schema.properties) ? Object.keys(schema.properties) : []) {
      const path = propertyPath(properties, name);
      if (path !== undefined) paths.add(path);
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
