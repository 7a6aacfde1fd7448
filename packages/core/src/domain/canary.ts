/** A canary with more repeats than this stops the batch: something delivers everything twice. */
const MAX_CANARY_REPEATS = 0.1;

/** What became of a batch's first part. */
export interface CanaryCounts {
  /** Raw lines of the part. */
  lines: number;
  quarantined: number;
  /** Why most of the quarantined lines are there. */
  main_reason: string | null;
  /** Events that the transformer made of the lines. */
  expected: number;
  /** Rows in staging. */
  staged: number;
  same_batch: number;
}

/**
 * What is wrong with the first part of a batch, which goes through alone, or undefined.
 *
 * Its repeats are judged leniently, on a thousand lines a few are noise; the gate judges the whole batch.
 */
export function canaryProblem(canary: CanaryCounts): string | undefined {
  if (canary.lines > 0 && canary.quarantined === canary.lines) {
    return `canary: none of the first ${canary.lines} lines can be read (${canary.main_reason}): is this the right source?`;
  }
  if (canary.staged !== canary.expected) {
    return `canary: ${canary.expected} events were transformed and ${canary.staged} staged`;
  }
  if (canary.same_batch > canary.staged * MAX_CANARY_REPEATS) {
    return `canary: ${canary.same_batch} of ${canary.staged} events repeat each other`;
  }
  return undefined;
}
