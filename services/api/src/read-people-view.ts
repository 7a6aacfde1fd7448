import type { Queryable } from '@backfill/core/db/pool';
import { listEscalations } from '@backfill/core/db/queries/escalation-list';
import { type BatchFreezeRow, getOpenFreeze } from '@backfill/core/db/queries/freeze-list';
import { type IncidentRow, listIncidents } from '@backfill/core/db/queries/incident-list';
import { getLastPublish, type PublishRow } from '@backfill/core/db/queries/publish-steps';
import { getRehearsalState } from '@backfill/core/db/queries/rehearsal';
import type { RecordedEscalation } from '@backfill/core/domain/escalation';
import type { PeopleView } from './schemas/people-view.ts';

const text = (at: Date | null) => at?.toISOString() ?? null;

function incidentView(incident: IncidentRow): PeopleView['incidents'][number] {
  const { incident_id, kind, summary, closed_by, note } = incident;
  const raised_at = incident.raised_at.toISOString();
  const post_mortem_due = incident.post_mortem_due.toISOString();
  return {
    incident_id,
    kind,
    summary,
    raised_at,
    post_mortem_due,
    closed_at: text(incident.closed_at),
    closed_by,
    note,
  };
}

function escalationView(escalation: RecordedEscalation): PeopleView['escalations'][number] {
  return { ...escalation, raised_at: escalation.raised_at.toISOString() };
}

function freezeView(freeze: BatchFreezeRow | undefined): PeopleView['freeze'] {
  if (freeze === undefined) return null;
  const { reason, held_by } = freeze;
  return { reason, frozen_at: freeze.frozen_at.toISOString(), extended_at: text(freeze.extended_at), held_by };
}

function snapshotView(publish: PublishRow): NonNullable<PeopleView['publish']>['snapshot'] {
  const { snapshot_path: path, snapshot_sha256: sha256, snapshot_at: at } = publish;
  if (path === null || sha256 === null || at === null) return null;
  const bytes = publish.snapshot_bytes ?? 0;
  return {
    ...{ path, sha256, bytes, rows: publish.snapshot_rows ?? 0 },
    mark: publish.snapshot_mark ?? '',
    at: at.toISOString(),
  };
}

function publishView(publish: PublishRow | undefined): PeopleView['publish'] {
  if (publish === undefined) return null;
  const { step, outcome, go_by, visible_seconds, published, taken_over, newly_suppressed, newly_live } = publish;
  return {
    ...{ step, outcome, go_by, visible_seconds, published, taken_over, newly_suppressed, newly_live },
    go_at: publish.go_at.toISOString(),
    visible_due: publish.visible_due.toISOString(),
    visible_at: text(publish.visible_at),
    snapshot: snapshotView(publish),
    withheld: publish.withheld,
    counted: publish.counted,
  };
}

/** What people decided about a batch, and what follows from it. */
export async function readPeopleView(db: Queryable, batchId: string): Promise<PeopleView> {
  return {
    rehearsal: (await getRehearsalState(db, batchId)) ?? null,
    freeze: freezeView(await getOpenFreeze(db, batchId)),
    incidents: (await listIncidents(db, batchId)).map(incidentView),
    escalations: (await listEscalations(db, batchId)).map(escalationView),
    publish: publishView(await getLastPublish(db, batchId)),
  };
}
