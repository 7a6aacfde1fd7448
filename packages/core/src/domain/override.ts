import { hash } from 'node:crypto';
import { missingRoles, type RecordedApproval, type RequiredRoles, standingApprovals } from './approvals.ts';
import { canonicalJson } from './canonical-json.ts';
import { KPI_NAMES } from './kpi.ts';

/** A gate as it was measured, in what an override is about. */
export interface OverridableGate {
  gate: string;
  threshold: number;
  observed: number | null;
  detail: Record<string, unknown>;
}

/** True for a KPI's gate that the median of other weeks is all there is for: of no other gate can anybody decide. */
export function needsOverride({ gate, observed, detail }: OverridableGate): boolean {
  return (KPI_NAMES as readonly string[]).includes(gate) && observed !== null && detail.needs_override === true;
}

/**
 * What an approval of the stage `override` binds to: it falls when the plan, the rows to publish or what was measured
 * changes. Lower-case hex.
 */
export function overrideHash(
  { planHash, rowsDigest }: { planHash: string; rowsDigest: string },
  { gate, observed, threshold }: OverridableGate,
): string {
  return hash(
    'sha256',
    canonicalJson({ plan_hash: planHash, rows_digest: rowsDigest, gate, observed, threshold }),
    'hex',
  );
}

/** An override that a role has not given yet. */
export interface MissingOverride {
  gate: string;
  role: string;
}

/** The overrides that a batch waits for, in the order of its gates: none where nobody may give one. */
export function missingOverrides(
  batch: { plan_hash: string | null; rows_digest: string | null },
  required: RequiredRoles | undefined,
  gates: readonly OverridableGate[],
  approvals: readonly RecordedApproval[],
): MissingOverride[] {
  const { plan_hash: planHash, rows_digest: rowsDigest } = batch;
  if (planHash === null || rowsDigest === null) return [];
  return gates.filter(needsOverride).flatMap((gate) => {
    const bound = overrideHash({ planHash, rowsDigest }, gate);
    const roles = missingRoles(required?.override ?? [], approvals, 'override', bound);
    return roles.map((role) => ({ gate: gate.gate, role }));
  });
}

/** The decisions of every stage that stand: those about the plan, the gate results and the rows as they are now. */
export function standingDecisions<A extends RecordedApproval>(
  batch: { plan_hash: string | null; gate_set_hash: string | null; rows_digest: string | null },
  gates: readonly OverridableGate[],
  approvals: readonly A[],
): ReadonlySet<A> {
  const { plan_hash: planHash, gate_set_hash: gateSetHash, rows_digest: rowsDigest } = batch;
  const overrides =
    planHash === null || rowsDigest === null
      ? []
      : gates.map((gate) => standingApprovals(approvals, 'override', overrideHash({ planHash, rowsDigest }, gate)));
  return new Set([
    ...standingApprovals(approvals, 'run', planHash).values(),
    ...standingApprovals(approvals, 'publish', gateSetHash).values(),
    ...overrides.flatMap((standing) => [...standing.values()]),
  ]);
}
