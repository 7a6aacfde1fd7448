import type { RecordedApproval } from '@backfill/core/domain/approvals';
import { type OverridableGate, standingDecisions } from '@backfill/core/domain/override';

/**
 * The moment that KPIs are measured as of, in ms since 1970: now, or, where somebody has decided about a figure that was
 * measured before and still stands, the moment of that figure.
 *
 * @param gates the last results of the batch
 */
export function momentOfKpis(
  batch: Parameters<typeof standingDecisions>[0],
  gates: readonly OverridableGate[],
  approvals: readonly RecordedApproval[],
  nowMs = Date.now(),
): number {
  const decided = [...standingDecisions(batch, gates, approvals)].some(({ stage }) => stage === 'override');
  const moments = gates.flatMap(({ detail }) => (typeof detail.as_of === 'string' ? [Date.parse(detail.as_of)] : []));
  return decided && moments.length > 0 ? Math.min(...moments) : nowMs;
}
