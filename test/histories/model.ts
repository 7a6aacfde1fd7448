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
  /** Batches that another one was taken back of, and did not count on its events when they were verified. */
  readonly #outdated = new Set<string>();
  /** Batches whose events are live, in the order in which they were published. */
  readonly #published = new Set<string>();
  /** What live ingestion delivered when a batch had it. */
  readonly #lostByLive = new Set<string>();

  deliverLive(event: string): void {
    if (!this.live.has(event)) this.live.set(event, null);
    else if (this.live.get(event) !== null) this.#lostByLive.add(event);
  }

  /** A batch is planned: what an earlier attempt or plan has staged is forgotten. Its keys are not. */
  plan(batch: string): void {
    this.#delivered.set(batch, new Set());
    this.#toPublish.delete(batch);
    this.#outdated.delete(batch);
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
    this.#outdated.delete(batch);
  }

  /** What a batch was verified for and a batch has published since, and what it could publish but was not verified for. */
  stale(batch: string): string[] {
    const toPublish = this.#toPublish.get(batch) ?? new Set();
    return [...[...toPublish].filter((event) => (this.live.get(event) ?? null) !== null), ...this.missed(batch)];
  }

  /** What a batch delivered, nobody has live, and it would not publish. */
  missed(batch: string): string[] {
    const toPublish = this.#toPublish.get(batch) ?? new Set();
    const delivered = this.#delivered.get(batch) ?? new Set();
    return [...delivered].filter((event) => !toPublish.has(event) && !this.live.has(event));
  }

  /** Whether a publish may go back to the gates instead. */
  mayGoBack(batch: string): boolean {
    return this.#outdated.has(batch);
  }

  publish(batch: string): void {
    this.#published.add(batch);
    for (const event of this.#toPublish.get(batch) ?? []) {
      if (this.live.has(event)) continue;
      this.live.set(event, batch);
      this.claims.set(event, batch);
    }
  }

  /**
   * Takes a batch back. What somebody else delivered too goes to live ingestion, else to the batch among those that was
   * published first, else to those that are not published, by their gates.
   */
  rollBack(batch: string): void {
    this.#published.delete(batch);
    for (const [event, holder] of this.live) if (holder === batch) this.#handOver(event, batch);
    for (const [event, owner] of this.claims) if (owner === batch) this.claims.delete(event);
    this.#delivered.delete(batch);
    this.#toPublish.delete(batch);
    this.#outdated.delete(batch);
  }

  #handOver(event: string, batch: string): void {
    const delivered = (other: string) => this.#delivered.get(other)?.has(event) ?? false;
    const heir = [...this.#published].find(delivered);
    if (this.#lostByLive.delete(event)) {
      this.live.set(event, null);
    } else if (heir !== undefined) {
      this.live.set(event, heir);
      this.claims.set(event, heir);
    } else {
      this.live.delete(event);
      for (const [other, toPublish] of this.#toPublish) {
        if (other !== batch && delivered(other) && !toPublish.has(event)) this.#outdated.add(other);
      }
    }
  }
}
