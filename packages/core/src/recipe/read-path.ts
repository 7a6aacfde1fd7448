import type { JsonObject, JsonValue } from '../domain/json.ts';

/** Finds a field in a raw record; undefined where it, or an object on the way, is missing. */
export type PathReader = (record: JsonObject) => JsonValue | undefined;

/**
 * Compiles a path of names with dots between them. The configuration refuses names that every
 * object inherits (`constructor`), so a plain read finds only what the record has.
 */
export function compilePath(path: string): PathReader {
  const [first = '', ...rest] = path.split('.');
  if (rest.length === 0) return (record) => record[first];
  return (record) => {
    let value: JsonValue | undefined = record[first];
    for (const name of rest) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
      value = value[name];
    }
    return value;
  };
}
