/** Staged rows of a batch. */
export interface DeliveredTwice {
  staged: number;
  /** Repeats inside the batch. */
  same_batch: number;
  /** What another batch or live ingestion has. */
  overlap: number;
}

/**
 * Duplicate ratio of a batch = (`same_batch` + overlap beyond `max_overlap`) / staged: what the gate and the alert judge.
 * 0 when nothing is staged.
 *
 * @param maxOverlap share of the staged rows that may be overlap
 */
export function duplicateRatio({ staged, same_batch, overlap }: DeliveredTwice, maxOverlap: number): number {
  if (staged === 0) return 0;
  return (same_batch + Math.max(0, overlap - maxOverlap * staged)) / staged;
}
