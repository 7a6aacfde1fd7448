import type { RecordedApproval } from '@backfill/core/domain/approvals';
import { type OverridableGate, standingDecisions } from '@backfill/core/domain/override';

/**
 * The moment that KPIs are measured as of, in ms since 1970: now, or, where somebody has decided about figures that were
 * measured before and still stand, the moment of those. Otherwise signatures would fall with each measurement, whatever it
 * finds.
 *
 * @param gates the last results of the batch
 */
export function momentOfKpis(
  batch: Parameters<typeof standingDecisions>[0],
  gates: readonly OverridableGate[],
  approvals: readonly RecordedApproval[],
  nowMs = Date.now(),
): number {
  const decided = [...standingDecisions(batch, gates, approvals)].some(({ stage }) => stage !== 'run');
  const moments = gates.flatMap(({ detail }) => (typeof detail.as_of === 'string' ? [Date.parse(detail.as_of)] : []));
  return decided && moments.length > 0 ? Math.min(...moments) : nowMs;
}
