import { hash } from 'node:crypto';
import type { BackfillConfig } from '../config/load-config.ts';
import type { SourceConfig } from '../config/source.ts';
import type { Upcast } from '../config/taxonomy.ts';
import { canonicalJson } from '../domain/canonical-json.ts';
import type { JsonObject, JsonValue } from '../domain/json.ts';
import { findUpcastPath } from '../domain/schema-version.ts';
import type { KeyPeriod, RecipeKeys } from './key-ring.ts';

/** Raised with every change of a PII rule or detector that can change a payload. */
export const PII_RULES_VERSION = 2;

/**
 * Everything that decides what a line becomes, as plain JSON. Pinned in the database per batch:
 * the same input under the same recipe gives the same events, byte for byte.
 */
export interface Recipe {
  recipeVersion: 1;
  piiRulesVersion: number;
  source: SourceConfig;
  /** Event name → the schema that the source uses. */
  taxonomy: Record<string, { version: string; schema: JsonObject }>;
  /** Event name → the upcasts that lead to its version; empty if the source's records are all of the pinned one. */
  upcasts: Record<string, RecipeUpcast[]>;
  /** Key version → check value, so that a replay under a wrong key stops. */
  keyChecks: Record<string, string>;
  /** Which key makes the pseudonyms of which events, in order of time. */
  keyPeriods: KeyPeriod[];
  /** Later events are quarantined; null where the window ends before that. */
  latestEventMs: number | null;
  /** `[start, end)` in ms since 1970. */
  window: { startMs: number; endMs: number };
  /** Events before this time have expired; null keeps them all. */
  retentionCutoffMs: number | null;
  limits: { maxLineBytes: number };
}

/** An upcast with the schema that it begins with, whose allow-list is what it gets to see. */
export interface RecipeUpcast extends Upcast {
  schema: JsonObject;
}

/** What a batch adds to the configuration. */
export interface RecipeOptions {
  windowStartMs: number;
  windowEndMs: number;
  retentionCutoffMs: number | null;
  /** From `pinRecipeKeys`. */
  keys: RecipeKeys;
}

/**
 * Pins the part of the configuration that a batch of `source` uses.
 *
 * @throws RangeError when the configuration has no such source
 */
export function buildRecipe(config: BackfillConfig, source: string, options: RecipeOptions): Recipe {
  const sourceConfig = config.sources.get(source);
  if (sourceConfig === undefined) throw new RangeError(`there is no source ${source}`);
  const taxonomy: Recipe['taxonomy'] = {};
  const upcasts: Recipe['upcasts'] = {};
  for (const [eventName, version] of Object.entries(sourceConfig.events)) {
    const schema = config.taxonomy.get(eventName)?.get(version);
    if (schema === undefined) throw new RangeError(`there is no ${eventName} ${version}`);
    taxonomy[eventName] = { version, schema };
    const pinned = sourceConfig.mapping.schema_version ? pinUpcasts(config, eventName, version) : [];
    if (pinned.length > 0) upcasts[eventName] = pinned;
  }
  return {
    recipeVersion: 1,
    piiRulesVersion: PII_RULES_VERSION,
    source: sourceConfig,
    taxonomy,
    upcasts,
    keyChecks: options.keys.checks,
    keyPeriods: options.keys.periods,
    latestEventMs: options.keys.latestEventMs,
    window: { startMs: options.windowStartMs, endMs: options.windowEndMs },
    retentionCutoffMs: options.retentionCutoffMs,
    limits: { maxLineBytes: config.policy.limits.max_line_bytes },
  };
}

function pinUpcasts(config: BackfillConfig, eventName: string, version: string): RecipeUpcast[] {
  const all = [...(config.upcasts.get(eventName)?.values() ?? [])];
  const steps = new Map(all.map(({ from, to }) => [from, to]));
  return all
    .filter(({ from }) => findUpcastPath(steps, from, version)?.includes(from))
    .flatMap((upcast) => {
      const schema = config.taxonomy.get(eventName)?.get(upcast.from);
      return schema === undefined ? [] : [{ ...upcast, schema }];
    });
}

/** True if the source's events carry their number within the file, which the plan has to count. */
export function countsOccurrences({ source }: Pick<Recipe, 'source'>): boolean {
  return source.identity === 'payload+occurrence';
}

/** True if the mirror must hold pseudonymised copies: the source's raw data comes from outside the EU. */
export function isCopied({ source }: Pick<Recipe, 'source'>): boolean {
  return source.region === 'non-eu';
}

/** sha256 of the recipe's canonical JSON, lower-case hex. */
export function recipeHash(recipe: Recipe): string {
  // A JSON round trip drops optional fields that are undefined, which canonical JSON has no form for.
  const plain = JSON.parse(JSON.stringify(recipe)) as JsonValue;
  return hash('sha256', canonicalJson(plain), 'hex');
}
