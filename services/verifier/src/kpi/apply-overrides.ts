import { missingRoles, type RecordedApproval, standingApprovals } from '@backfill/core/domain/approvals';
import type { GateResult } from '@backfill/core/domain/gate-result';
import { needsOverride, overrideHash } from '@backfill/core/domain/override';

/** What overrides are looked for with. */
export interface OverrideContext {
  planHash: string;
  /** Null where the rows to publish could not be read: nothing can be bound to them then. */
  rowsDigest: string | null;
  /** The roles that must all say yes; an empty list lets nobody. */
  roles: readonly string[];
  /** Of the batch's current attempt, in the order they were given. */
  approvals: readonly (RecordedApproval & { comment: string | null })[];
}

/** Lets the median decide where everybody who is asked has said that it may: within the threshold the gate has passed. */
export function applyOverrides(results: readonly GateResult[], context: OverrideContext): GateResult[] {
  return results.map((result) => (needsOverride(result) ? applyOverride(result, context) : result));
}

function applyOverride(result: GateResult, { planHash, rowsDigest, roles, approvals }: OverrideContext): GateResult {
  const { observed, threshold, detail } = result;
  if (rowsDigest === null || roles.length === 0) return result;
  const bound = overrideHash({ planHash, rowsDigest }, result);
  if (missingRoles(roles, approvals, 'override', bound).length > 0) return result;
  const standing = standingApprovals(approvals, 'override', bound);
  const by = roles.flatMap((role) => standing.get(role) ?? []);
  const { why: _, ...kept } = detail;
  const passed = observed !== null && observed <= threshold;
  return {
    ...result,
    passed,
    detail: {
      ...kept,
      needs_override: false,
      overridden_by: by.map(({ role, actor, comment }) => ({ role, actor, comment })),
      ...(!passed && { why: 'the median of other weeks was let decide, and it is beyond the threshold too' }),
    },
  };
}
