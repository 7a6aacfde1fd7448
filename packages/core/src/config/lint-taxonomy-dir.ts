import { checkAdditions } from './addition-lint.ts';
import type { ConfigMistake } from './config-error.ts';
import { readTaxonomy } from './config-files.ts';
import { checkPatterns } from './pattern-lint.ts';
import { checkPublishedSchemas, readPublishedSchemas, unpublishedSchemas } from './published-schemas.ts';
import type { Taxonomy, Upcasts } from './taxonomy.ts';
import { readUpcasts } from './upcast-files.ts';

/** What a look at the taxonomy of a configuration directory found. */
export interface TaxonomyFindings {
  /** The schemas without mistakes. */
  taxonomy: Taxonomy;
  upcasts: Upcasts;
  /** `<event>/<version>` of the schemas that may still change. */
  unpublished: string[];
  violations: ConfigMistake[];
}

/** Reads schemas, upcasts and the lock file of a configuration directory, and lists everything wrong with them. */
export async function lintTaxonomyDir(dir: string): Promise<TaxonomyFindings> {
  const violations: ConfigMistake[] = [];
  const taxonomy = await readTaxonomy(dir, violations);
  const upcasts = await readUpcasts(dir, taxonomy, violations);
  checkAdditions(taxonomy, violations);
  await checkPatterns(taxonomy, violations);
  const published = await readPublishedSchemas(dir, violations);
  checkPublishedSchemas(taxonomy, published, violations);
  return { taxonomy, upcasts, unpublished: unpublishedSchemas(taxonomy, published), violations };
}
