import { inapplicableKpis } from '@backfill/core/config/kpi-policy';
import { type BackfillConfig, loadConfigDir } from '@backfill/core/config/load-config';
import { gateThresholds, needsRehearsal } from '@backfill/core/config/policy';
import type { BatchRow } from '@backfill/core/db/queries/batch-get';
import type { KpiReference } from '@backfill/core/domain/kpi';
import type { Replaces } from '@backfill/core/domain/replacement';
import { FatalError } from '@backfill/core/errors';
import type { ManifestEntry, Plan } from '@backfill/core/plan/plan';
import type { Recipe } from '@backfill/core/recipe/recipe';

/**
 * Reads the configuration as it is now: a plan is made from the files of its moment and pins them.
 *
 * @throws {FatalError} listing every mistake, or the sources there are when this one is not among them.
 */
export async function loadConfigForPlan(dir: string, source: string): Promise<BackfillConfig> {
  const config = await loadConfigDir(dir);
  if (!config.sources.has(source)) {
    throw new FatalError(`there is no source ${source}; there are: ${[...config.sources.keys()].join(', ')}`);
  }
  return config;
}

/** Joins policy, submission, recipe and pinned input into the document that is approved. Pure. */
export function buildPlan(given: {
  batch: BatchRow;
  config: BackfillConfig;
  recipe: Recipe;
  manifest: ManifestEntry[];
  retentionException: Plan['retentionException'];
}): Plan {
  const { batch, config } = given;
  const gates = gateThresholds(config.policy, batch.source);
  const { kpi } = config.policy;
  const { max_overlap: maxOverlap, expected_events: expectedEvents, references = [], replaces } = batch.request;
  const rate = config.policy.limits.import_events_per_second;
  return {
    planVersion: 1,
    batchId: batch.batch_id,
    input: batch.input,
    manifest: given.manifest,
    recipe: given.recipe,
    policy: {
      approvals: {
        run: config.policy.approvals.run,
        publish: config.policy.approvals.publish,
        override: config.policy.approvals.override,
        ...(needsRehearsal(config.policy, batch.source) && { rehearsal: true }),
      },
      retention: config.policy.retention,
      gates: {
        ...gates,
        max_overlap: typeof maxOverlap === 'number' ? maxOverlap : gates.max_overlap,
        max_recut: gates.max_overlap,
      },
      kpi: {
        ...kpi,
        definitions: config.kpis,
        not_applicable: inapplicableKpis(kpi, batch.source),
        references: references as KpiReference[],
      },
      ...(rate !== undefined && { import_events_per_second: rate }),
    },
    retentionException: given.retentionException,
    ...(typeof expectedEvents === 'number' && { expectedEvents }),
    ...(replaces !== undefined && { replaces: replaces as Replaces }),
  };
}
