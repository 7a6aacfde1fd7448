import { hash } from 'node:crypto';
import { SCHEMA_VERSION } from '../config/taxonomy.ts';
import { compileUpcastModule, type UpcastModule } from '../config/upcast-module.ts';
import { canonicalJson } from '../domain/canonical-json.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../domain/json.ts';
import { findUpcastPath } from '../domain/schema-version.ts';
import { compileProperties, type PropertiesReader } from './compile-properties.ts';
import type { PiiContext } from './pii-context.ts';
import { compilePath } from './read-path.ts';
import type { Recipe, RecipeUpcast } from './recipe.ts';
import { remember } from './remember.ts';

/** An event's properties as they may be stored, in the pinned version; a reason why there are none. */
export type VersionedReader = (record: JsonObject, eventTsMs: number) => JsonObject | string;

/** Reads every property from the field of its own name. */
const OWN_NAMES = { '*': '*' };
const REMEMBERED_VERSIONS = 100;

/**
 * Compiles how an event's properties are read from a record of any version: by the mapping if it is written in the
 * pinned one; else what the allow-list of the record's own version lets through goes up through the upcasts, and the
 * pinned version's allow-list and PII rules are applied to what comes out.
 */
export function compileVersions(recipe: Recipe, eventName: string, context: PiiContext): VersionedReader {
  const pinned = recipe.taxonomy[eventName];
  if (pinned === undefined) throw new RangeError(`there is no ${eventName} in the recipe`);
  const { properties, schema_version: mapping } = recipe.source.mapping;
  const readPinned = compileProperties(pinned.schema, properties, context);
  if (mapping === undefined) return readPinned;
  const keepPinned = compileProperties(pinned.schema, OWN_NAMES, context);
  const steps = (recipe.upcasts[eventName] ?? []).map((step) => compileStep(step, recipe, context));
  const climbs = remember(REMEMBERED_VERSIONS, (version) => compileClimb(steps, version, pinned.version));
  const readVersion = compileVersion(mapping);
  return (record, eventTsMs) => {
    const version = readVersion(record);
    if (version === 'missing' || version === 'not_a_version') return `schema_version: ${version}`;
    const climb = climbs(version);
    if (climb === undefined) return 'schema_version: no_upcast';
    if (climb.steps.length === 0) return readPinned(record, eventTsMs);
    const lifted = climb.lift(record, eventTsMs);
    return typeof lifted === 'string' ? lifted : keepPinned(lifted, eventTsMs);
  };
}

/** The version that a record names; `missing` or `not_a_version` if it names none. */
function compileVersion(
  mapping: NonNullable<Recipe['source']['mapping']['schema_version']>,
): (record: JsonObject) => string {
  if ('constant' in mapping) return () => mapping.constant;
  const read = compilePath(mapping.path);
  return (record) => {
    const version = read(record);
    if (version === undefined || version === null || version === '') return mapping.default ?? 'missing';
    return typeof version === 'string' && SCHEMA_VERSION.test(version) ? version : 'not_a_version';
  };
}

interface Step extends Pick<RecipeUpcast, 'from' | 'to'> {
  readProperties: PropertiesReader;
  upcast: UpcastModule;
}

function compileStep({ from, to, sha256, text, schema }: RecipeUpcast, recipe: Recipe, context: PiiContext): Step {
  if (hash('sha256', text, 'hex') !== sha256) throw new RangeError(`the upcast ${from}_${to} is not the pinned one`);
  const readProperties = compileProperties(withoutRules(schema), recipe.source.mapping.properties, context);
  return { from, to, readProperties, upcast: compileUpcastModule(text) };
}

interface Climb {
  steps: readonly Step[];
  lift: VersionedReader;
}

function compileClimb(steps: readonly Step[], version: string, pinned: string): Climb | undefined {
  const path = findUpcastPath(new Map(steps.map(({ from, to }) => [from, to])), version, pinned);
  if (path === undefined) return undefined;
  const chosen = path.flatMap((from) => steps.filter((step) => step.from === from));
  const lift: VersionedReader = (record, eventTsMs) => {
    let text = jsonText(chosen[0]?.readProperties(record, eventTsMs) ?? {});
    if (text === undefined) return 'upcast: unusable_value';
    for (const { from, to, upcast } of chosen) {
      text = upcast(text);
      if (text === undefined) return `upcast: ${from}_${to} failed`;
    }
    return JSON.parse(text) as JsonObject;
  };
  return { steps: chosen, lift };
}

/** Undefined for what JSON text would change or refuse: 1e400, a lone surrogate, very deep nesting. */
function jsonText(properties: JsonObject): string | undefined {
  try {
    return canonicalJson(properties);
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) return undefined;
    throw error;
  }
}

/** A schema that lets the raw values through of all that is not dropped: an upcast needs them as they were written. */
function withoutRules(node: JsonObject): JsonObject {
  const open: JsonObject = { ...node };
  if ('x-pii' in node && node['x-pii'] !== 'drop') open['x-pii'] = 'none';
  if (isJsonObject(node.items)) open.items = withoutRules(node.items);
  if (isJsonObject(node.properties)) {
    open.properties = Object.fromEntries(
      Object.entries(node.properties).map(([name, child]): [string, JsonValue] => [
        name,
        isJsonObject(child) ? withoutRules(child) : child,
      ]),
    );
  }
  return open;
}
