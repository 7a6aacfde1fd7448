import type { Queryable } from '@backfill/core/db/pool';
import { listEscalations } from '@backfill/core/db/queries/escalation-list';
import { getOpenFreeze } from '@backfill/core/db/queries/freeze-list';
import { listIncidents } from '@backfill/core/db/queries/incident-list';
import { getLastPublish } from '@backfill/core/db/queries/publish-steps';
import { getRehearsalState } from '@backfill/core/db/queries/rehearsal';
import type { Report, ReportPeople } from '@backfill/core/report/report';

/** The members of report.json about what people decided besides approvals, and what a publish has done. */
export async function peopleSection(
  db: Queryable,
  batchId: string,
): Promise<ReportPeople & Pick<Report, 'incidents' | 'recipe_hash'>> {
  const rehearsal = await getRehearsalState(db, batchId);
  const section = {
    recipe_hash: rehearsal?.recipe_hash ?? null,
    rehearsal: rehearsal === undefined ? null : { required: rehearsal.required, recorded: rehearsal.recorded },
    freeze: (await getOpenFreeze(db, batchId)) ?? null,
    incidents: await listIncidents(db, batchId),
    escalations: await listEscalations(db, batchId),
    publish: (await getLastPublish(db, batchId)) ?? null,
  };
  // With its times as they stand in the file.
  return JSON.parse(JSON.stringify(section));
}
