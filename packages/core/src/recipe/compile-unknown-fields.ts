import { propertyPath } from '../config/source.ts';
import { isJsonObject, type JsonObject } from '../domain/json.ts';
import type { PiiObserver } from './pii-context.ts';
import type { Recipe } from './recipe.ts';

/** Known names with what is known below them; without anything below, the whole field is known. */
type KnownFields = Map<string, KnownFields>;

/** Compiles the count of a record's fields that nothing reads; undefined where nobody wants to know it. */
export function compileUnknownFields(
  recipe: Recipe,
  observer: PiiObserver | undefined,
): ((record: JsonObject) => void) | undefined {
  if (observer === undefined) return undefined;
  const known = knownFields(recipe);
  return (record) => observer.unknown(countUnknown(record, known));
}

function knownFields({ source, taxonomy, upcasts }: Recipe): KnownFields {
  const known: KnownFields = new Map();
  const { properties, ...places } = source.mapping;
  for (const place of Object.values(places)) {
    if (place !== undefined && 'path' in place) addPath(known, place.path);
  }
  const schemas = [...Object.values(taxonomy), ...Object.values(upcasts).flat()].map(({ schema }) => schema);
  for (const schema of schemas) {
    for (const [name, node] of Object.entries(childObject(schema, 'properties'))) {
      const path = propertyPath(properties, name);
      if (path !== undefined) addSchema(addPath(known, path), node);
    }
  }
  return known;
}

function addPath(known: KnownFields, path: string): KnownFields {
  return path.split('.').reduce((node, name) => child(node, name), known);
}

function addSchema(known: KnownFields, node: unknown): void {
  if (!isJsonObject(node as never)) return;
  for (const [name, below] of Object.entries(childObject(node as JsonObject, 'properties'))) {
    addSchema(child(known, name), below);
  }
}

function child(node: KnownFields, name: string): KnownFields {
  const found = node.get(name) ?? new Map();
  node.set(name, found);
  return found;
}

function childObject(parent: JsonObject, name: string): JsonObject {
  const found = parent[name];
  return found !== undefined && isJsonObject(found) ? found : {};
}

/** As deep as the known names go, so the work is bounded by them and by the record's own size. */
function countUnknown(value: JsonObject, known: KnownFields): number {
  let unknown = 0;
  // Half the cost of Object.keys, and a parsed record inherits nothing that is listed.
  for (const name in value) {
    const below = known.get(name);
    if (below === undefined) unknown++;
    else if (below.size > 0) {
      const nested = value[name];
      if (nested !== undefined && isJsonObject(nested)) unknown += countUnknown(nested, below);
    }
  }
  return unknown;
}
