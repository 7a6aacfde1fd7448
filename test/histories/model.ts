/** Who has an event: a batch, by its id, or live ingestion. */
export type Holder = string | null;

/**
 * What the system must hold after each step of a history, said as simply as possible.
 *
 * Today's rules: the first batch that imports an event has it; whoever comes later does not publish it; what is live
 * already is left as it is.
 */
export class Model {
  /** Live events and who wrote them. */
  readonly live = new Map<string, Holder>();
  /** Keys of the dedup store. */
  readonly claims = new Map<string, string>();
  /** Per batch the events that it will publish. */
  readonly #staged = new Map<string, Set<string>>();

  deliverLive(event: string): void {
    if (!this.live.has(event)) this.live.set(event, null);
  }

  /** A batch is planned: what an earlier attempt or plan has staged is forgotten. Its keys are not. */
  plan(batch: string): void {
    this.#staged.set(batch, new Set());
  }

  importPart(batch: string, events: readonly string[]): void {
    for (const event of events) {
      if (this.live.has(event) || this.claims.has(event)) continue;
      this.claims.set(event, batch);
      this.#staged.get(batch)?.add(event);
    }
  }

  publish(batch: string): void {
    for (const event of this.#staged.get(batch) ?? []) {
      if (!this.live.has(event)) this.live.set(event, batch);
    }
  }

  /**
   * Takes a batch back. THE EVENTS THAT ANOTHER BATCH DELIVERED TOO ARE LOST BY THIS until that batch runs again: they
   * are not handed over yet. A live delivery that came after the publish is lost with it as well.
   */
  rollBack(batch: string): void {
    for (const [event, holder] of this.live) if (holder === batch) this.live.delete(event);
    for (const [event, owner] of this.claims) if (owner === batch) this.claims.delete(event);
    this.#staged.delete(batch);
  }
}
