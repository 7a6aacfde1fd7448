const SHORTEST_MS = 5_000;
const LONGEST_MS = 60_000;

/**
 * When to ask again for what an erasure waits for: ever less often, since each time takes retention's office. Pure.
 *
 * @param waitedMs since the person was submitted
 */
export const waitDelayMs = (waitedMs: number): number => Math.min(Math.max(waitedMs / 4, SHORTEST_MS), LONGEST_MS);
