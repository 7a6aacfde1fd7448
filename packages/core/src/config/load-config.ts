import { ConfigError, type ConfigMistake } from './config-error.ts';
import { readSources, readTaxonomy, readYamlFile } from './config-files.ts';
import { crossCheck } from './cross-check.ts';
import { type KpiDefinitions, readKpis } from './kpi-files.ts';
import { type Policy, policySchema } from './policy.ts';
import type { SourceConfig } from './source.ts';
import type { Taxonomy, Upcasts } from './taxonomy.ts';
import { readUpcasts } from './upcast-files.ts';

/** A whole configuration directory, validated. */
export interface BackfillConfig {
  policy: Policy;
  /** By source name. */
  sources: ReadonlyMap<string, SourceConfig>;
  taxonomy: Taxonomy;
  upcasts: Upcasts;
  kpis: KpiDefinitions;
}

/**
 * Reads `policy.yaml`, `sources/*.yaml`, `taxonomy/events/<event>/<M-R-A>.schema.json`,
 * `taxonomy/upcasts/<event>/<from>_<to>.mjs` and `kpi/<kpi>.sql`.
 *
 * @throws ConfigError with every mistake found, each with file and place; a key that nobody
 *   knows is a mistake too
 */
export async function loadConfigDir(dir: string): Promise<BackfillConfig> {
  const mistakes: ConfigMistake[] = [];
  const policy = await readYamlFile(dir, 'policy.yaml', policySchema, mistakes);
  const taxonomy = await readTaxonomy(dir, mistakes);
  const upcasts = await readUpcasts(dir, taxonomy, mistakes);
  const sources = await readSources(dir, mistakes);
  const kpis = await readKpis(dir, mistakes);
  crossCheck({ policy, sources, taxonomy, upcasts }, mistakes);
  if (policy === undefined || mistakes.length > 0) throw new ConfigError(dir, mistakes);
  return { policy, sources, taxonomy, upcasts, kpis };
}
