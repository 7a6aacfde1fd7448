import type { ValidateFunction } from 'ajv';
import { createTaxonomyCompiler } from '../config/taxonomy-compiler.ts';
import { canonicalJson } from '../domain/canonical-json.ts';
import type { JsonObject } from '../domain/json.ts';
import { compileVersions, type VersionedReader } from './compile-versions.ts';
import type { PiiContext } from './pii-context.ts';
import { compilePath } from './read-path.ts';
import type { Recipe } from './recipe.ts';

/** Everything about one taxonomy event, compiled. */
export interface EventPlan {
  eventName: string;
  schemaVersion: string;
  readProperties: VersionedReader;
  validate: ValidateFunction;
}

/** The event that a record is; the reason if it should name one and does not; undefined if its name is not mapped. */
export type EventResolver = (record: JsonObject) => EventPlan | 'missing' | 'not_text' | undefined;

/** Compiles the recipe's events and how a record names its event. */
export function compileEvents(recipe: Recipe, context: PiiContext): EventResolver {
  const compile = createTaxonomyCompiler();
  const plans = new Map<string, EventPlan>();
  for (const [eventName, { version, schema }] of Object.entries(recipe.taxonomy)) {
    plans.set(eventName, {
      eventName,
      schemaVersion: version,
      readProperties: compileVersions(recipe, eventName, context),
      // Names in one order, whoever stored the schema: of several faults the first is the one that is named.
      validate: compile(JSON.parse(canonicalJson(schema))),
    });
  }
  const mapping = recipe.source.mapping.event_name;
  if ('constant' in mapping) {
    const plan = plans.get(mapping.constant);
    return () => plan;
  }
  const byRawName = mapping.values === undefined ? plans : renamed(plans, mapping.values);
  const read = compilePath(mapping.path);
  return (record) => {
    const rawName = read(record);
    if (rawName === undefined || rawName === null || rawName === '') return 'missing';
    return typeof rawName === 'string' ? byRawName.get(rawName) : 'not_text';
  };
}

function renamed(plans: ReadonlyMap<string, EventPlan>, values: Record<string, string>): Map<string, EventPlan> {
  const byRawName = new Map<string, EventPlan>();
  for (const [rawName, eventName] of Object.entries(values)) {
    const plan = plans.get(eventName);
    if (plan !== undefined) byRawName.set(rawName, plan);
  }
  return byRawName;
}
