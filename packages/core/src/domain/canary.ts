/** A canary with more repeats than this stops the batch: something delivers everything twice. */
const MAX_CANARY_REPEATS = 0.1;

/**
 * What is wrong with the first part of a batch, which goes through alone, or undefined.
 *
 * Its repeats are judged leniently, on a thousand lines a few are noise; the gate judges the whole batch.
 */
export function canaryProblem(canary: { staged: number; expected: number; same_batch: number }): string | undefined {
  if (canary.staged !== canary.expected) {
    return `canary: ${canary.expected} events were transformed and ${canary.staged} staged`;
  }
  if (canary.same_batch > canary.staged * MAX_CANARY_REPEATS) {
    return `canary: ${canary.same_batch} of ${canary.staged} events repeat each other`;
  }
  return undefined;
}
