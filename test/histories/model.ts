/** Who has an event: a batch, by its id, or live ingestion. */
export type Holder = string | null;

/**
 * What the system must hold after each step of a history, said as simply as possible.
 *
 * The rules: what is live is left as it is. A batch that imports an event which nobody has claims it. A batch means to
 * publish what it delivered and what was not live when it was verified, whoever claims it; the first to publish wins.
 */
export class Model {
  /** Live events and who wrote them. */
  readonly live = new Map<string, Holder>();
  /** Keys of the dedup store. */
  readonly claims = new Map<string, string>();
  /** Per batch the events that it delivered. */
  readonly #delivered = new Map<string, Set<string>>();
  /** Per batch the events that it will publish, as it was verified last. */
  readonly #toPublish = new Map<string, Set<string>>();

  deliverLive(event: string): void {
    if (!this.live.has(event)) this.live.set(event, null);
  }

  /** A batch is planned: what an earlier attempt or plan has staged is forgotten. Its keys are not. */
  plan(batch: string): void {
    this.#delivered.set(batch, new Set());
    this.#toPublish.delete(batch);
  }

  importPart(batch: string, events: readonly string[]): void {
    for (const event of events) {
      this.#delivered.get(batch)?.add(event);
      if (!this.live.has(event) && !this.claims.has(event)) this.claims.set(event, batch);
    }
  }

  verify(batch: string): void {
    const delivered = this.#delivered.get(batch) ?? [];
    this.#toPublish.set(batch, new Set([...delivered].filter((event) => !this.live.has(event))));
  }

  /** What a batch was verified for and a batch has published since, and what it could publish but was not verified for. */
  stale(batch: string): string[] {
    const toPublish = this.#toPublish.get(batch) ?? new Set();
    const delivered = this.#delivered.get(batch) ?? new Set();
    return [
      ...[...toPublish].filter((event) => (this.live.get(event) ?? null) !== null),
      ...[...delivered].filter((event) => !toPublish.has(event) && !this.live.has(event)),
    ];
  }

  publish(batch: string): void {
    for (const event of this.#toPublish.get(batch) ?? []) {
      if (this.live.has(event)) continue;
      this.live.set(event, batch);
      this.claims.set(event, batch);
    }
  }

  /**
   * Takes a batch back. What another batch delivered too comes to it if it is not published yet. THE EVENTS THAT A
   * PUBLISHED BATCH DELIVERED TOO ARE LOST BY THIS until that batch runs again: they are not handed over yet. A live
   * delivery that came after the publish is lost with it as well.
   */
  rollBack(batch: string): void {
    for (const [event, holder] of this.live) if (holder === batch) this.live.delete(event);
    for (const [event, owner] of this.claims) if (owner === batch) this.claims.delete(event);
    this.#delivered.delete(batch);
    this.#toPublish.delete(batch);
  }
}
