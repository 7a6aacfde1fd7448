/** What was seen within this time counts for the rate, ms. */
const WINDOW_MS = 20_000;
/** Less says nothing: work is counted by parts, which come in leaps. */
const LEAST_MS = 2_000;

/** How fast a count grows, by what was seen of it within the last seconds. Times are in ms, of any one clock. */
export class RateMeter {
  #seen: { atMs: number; count: number }[] = [];

  /** Notes the count; one that is lower than before begins anew. */
  see(atMs: number, count: number): void {
    const last = this.#seen.at(-1);
    if (last !== undefined && count < last.count) this.#seen = [];
    this.#seen.push({ atMs, count });
    // One from before the window stays, to measure from.
    while ((this.#seen[1]?.atMs ?? atMs) < atMs - WINDOW_MS) this.#seen.shift();
  }

  /** Per second; undefined while too little was seen. */
  rate(nowMs: number): number | undefined {
    const [first] = this.#seen;
    const last = this.#seen.at(-1);
    if (first === undefined || last === undefined || nowMs - first.atMs < LEAST_MS) return undefined;
    return ((last.count - first.count) * 1_000) / (nowMs - first.atMs);
  }
}
