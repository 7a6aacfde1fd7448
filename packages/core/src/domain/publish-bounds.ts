/**
 * Share of the signed rows that a publish may leave out because their people were suppressed since, where the policy says
 * nothing: less than what the gates of volume and KPIs allow for, so that what was signed still holds.
 */
const MAX_NEWLY_SUPPRESSED = 0.01;

/** The share that the thresholds of a plan allow for, from 0 to 1. */
export function newlySuppressedShare(gates: { max_newly_suppressed?: number | undefined }): number {
  return gates.max_newly_suppressed ?? MAX_NEWLY_SUPPRESSED;
}
