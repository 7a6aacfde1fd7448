import type { Queryable } from '@backfill/core/db/pool';
import type { BatchRow } from '@backfill/core/db/queries/batch-get';
import { getOpenFreeze } from '@backfill/core/db/queries/freeze-list';
import { getLastPublish } from '@backfill/core/db/queries/publish-steps';
import { getRehearsalState } from '@backfill/core/db/queries/rehearsal';
import type { OverridableGate } from '@backfill/core/domain/override';
import type { Report } from '@backfill/core/report/report';
import { type ReportDecisions, readDecisions } from '@backfill/core/runtime/read-decisions';

/** The members of report.json about what people decided, and what a publish has done. */
export async function peopleSection(
  db: Queryable,
  batch: BatchRow,
  gates: readonly OverridableGate[],
): Promise<ReportDecisions & Pick<Report, 'recipe_hash' | 'freeze' | 'publish'>> {
  const { batch_id: batchId } = batch;
  const section = {
    ...(await readDecisions(db, batch, gates)),
    recipe_hash: (await getRehearsalState(db, batchId))?.recipe_hash ?? null,
    freeze: (await getOpenFreeze(db, batchId)) ?? null,
    publish: (await getLastPublish(db, batchId)) ?? null,
  };
  // With its times as they stand in the file.
  return JSON.parse(JSON.stringify(section));
}
