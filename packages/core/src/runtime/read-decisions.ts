import type { Queryable } from '../db/pool.ts';
import { type ApprovalRow, listApprovals } from '../db/queries/approval-list.ts';
import { listRequiredRoles } from '../db/queries/approval-policy-list.ts';
import type { BatchRow } from '../db/queries/batch-get.ts';
import { listEscalations } from '../db/queries/escalation-list.ts';
import { listIncidents } from '../db/queries/incident-list.ts';
import { getRehearsalState } from '../db/queries/rehearsal.ts';
import { missingRoles, type RequiredRoles } from '../domain/approvals.ts';
import { missingOverrides, type OverridableGate, standingDecisions } from '../domain/override.ts';
import type { Report, ReportApproval } from '../report/report.ts';

/** What of a report people go on to decide while it lies there: nothing of it is what they sign. */
export type ReportDecisions = Pick<
  Report,
  'approvals' | 'missing_approvals' | 'rehearsal' | 'escalations' | 'incidents'
>;

function reportApprovals(
  batch: BatchRow,
  approvals: readonly ApprovalRow[],
  gates: readonly OverridableGate[],
): ReportApproval[] {
  const standing = standingDecisions(batch, gates, approvals);
  return approvals.map((given) => ({
    stage: given.stage,
    role: given.role,
    actor: given.actor,
    decision: given.decision,
    gate: given.gate,
    bound_hash: given.boundHash,
    comment: given.comment,
    at: given.approved_at.toISOString(),
    counts: standing.has(given),
  }));
}

function reportMissing(
  batch: BatchRow,
  approvals: readonly ApprovalRow[],
  gates: readonly OverridableGate[],
  required: RequiredRoles | undefined,
): Report['missing_approvals'] {
  if (required === undefined) return null;
  return {
    run: missingRoles(required.run, approvals, 'run', batch.plan_hash),
    publish: missingRoles(required.publish, approvals, 'publish', batch.gate_set_hash),
    override: missingOverrides(batch, required, gates, approvals),
  };
}

/**
 * The decisions about a batch as they stand, in the form of its report.
 *
 * @param gates its last results
 */
export async function readDecisions(
  db: Queryable,
  batch: BatchRow,
  gates: readonly OverridableGate[],
): Promise<ReportDecisions> {
  const { batch_id: batchId } = batch;
  const approvals = await listApprovals(db, [batchId]);
  const required = (await listRequiredRoles(db, [batchId])).get(batchId);
  const rehearsal = await getRehearsalState(db, batchId);
  const decisions = {
    approvals: reportApprovals(batch, approvals, gates),
    missing_approvals: reportMissing(batch, approvals, gates, required),
    rehearsal: rehearsal === undefined ? null : { required: rehearsal.required, recorded: rehearsal.recorded },
    escalations: await listEscalations(db, batchId),
    incidents: await listIncidents(db, batchId),
  };
  // With its times as they stand in the file.
  return JSON.parse(JSON.stringify(decisions));
}
