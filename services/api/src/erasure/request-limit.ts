/** Lets so many requests of an actor through in a stretch of time, in this process. */
export class RequestLimit {
  readonly #most: number;
  readonly #perMs: number;
  readonly #seen = new Map<string, number[]>();

  constructor(most: number, perMs: number) {
    this.#most = most;
    this.#perMs = perMs;
  }

  /** @returns seconds to wait; 0 when the request is let through, and counts */
  take(actor: string, nowMs: number): number {
    const recent = (this.#seen.get(actor) ?? []).filter((at) => at > nowMs - this.#perMs);
    const [oldest = nowMs] = recent;
    if (recent.length >= this.#most) return Math.max(1, Math.ceil((oldest + this.#perMs - nowMs) / 1_000));
    this.#seen.set(actor, [...recent, nowMs]);
    return 0;
  }
}
