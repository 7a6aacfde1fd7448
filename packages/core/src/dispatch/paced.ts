/** Runs `work` at most every so many milliseconds, however often it is called, and whatever is done to the clock. */
export function paced(everyMs: number, work: () => Promise<void>): () => Promise<void> {
  let last: number | undefined;
  return async () => {
    const nowMs = performance.now();
    if (last !== undefined && nowMs - last < everyMs) return;
    last = nowMs;
    await work();
  };
}
