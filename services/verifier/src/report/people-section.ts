import type { Queryable } from '@backfill/core/db/pool';
import type { BatchRow } from '@backfill/core/db/queries/batch-get';
import { getOpenFreeze } from '@backfill/core/db/queries/freeze-list';
import { getLastPublish, type PublishRow } from '@backfill/core/db/queries/publish-steps';
import { getRehearsalState } from '@backfill/core/db/queries/rehearsal';
import { getVisibleMinutes } from '@backfill/core/db/queries/visible-minutes-get';
import type { OverridableGate } from '@backfill/core/domain/override';
import type { Report, ReportVisibility } from '@backfill/core/report/report';
import { type ReportDecisions, readDecisions } from '@backfill/core/runtime/read-decisions';

/** Of plans that do not say. */
const VISIBLE_MINUTES = 30;

/** @param planned as the current plan says */
function visibilityOf(planned: number | null, publish: PublishRow | null): ReportVisibility {
  if (publish === null) return { allowed: planned ?? VISIBLE_MINUTES, observed: null };
  const { go_at, visible_due, visible_seconds } = publish;
  const observed = visible_seconds === null ? null : visible_seconds / 60;
  return { allowed: (visible_due.getTime() - go_at.getTime()) / 60_000, observed };
}

/** The members of report.json about what people decided, and what a publish has done. */
export async function peopleSection(
  db: Queryable,
  batch: BatchRow,
  gates: readonly OverridableGate[],
): Promise<ReportDecisions & Pick<Report, 'recipe_hash' | 'freeze' | 'publish' | 'visibility'>> {
  const { batch_id: batchId } = batch;
  const publish = (await getLastPublish(db, batchId)) ?? null;
  const section = {
    ...(await readDecisions(db, batch, gates)),
    recipe_hash: (await getRehearsalState(db, batchId))?.recipe_hash ?? null,
    freeze: (await getOpenFreeze(db, batchId)) ?? null,
    publish,
    visibility: batch.plan_hash === null ? null : visibilityOf(await getVisibleMinutes(db, batchId), publish),
  };
  // With its times as they stand in the file.
  return JSON.parse(JSON.stringify(section));
}
