/** Who has an event: a batch, by its id, or live ingestion. */
export type Holder = string | null;

/**
 * What the system must hold after each step of a history, said as simply as possible.
 *
 * The rules: what is live is left as it is. A batch that imports an event which nobody has claims it. A batch means to
 * publish what it delivered and what was not live when it was verified, whoever claims it; the first to publish wins. A
 * batch with a target takes what the target has live out of sight when it is published, and gives it back. From the moment
 * at which somebody asks to be forgotten, nothing of them goes live but what live ingestion itself writes; what is live of
 * them goes when the erasure comes to it.
 */
export class Model {
  /** Live events and who wrote them. */
  readonly live = new Map<string, Holder>();
  /** Keys of the dedup store. */
  readonly claims = new Map<string, string>();
  /** Whose events a batch replaces. */
  readonly #targets: ReadonlyMap<string, Holder>;
  /** Per batch the events that it delivered. */
  readonly #delivered = new Map<string, Set<string>>();
  /** Per batch the events that it will publish, as it was verified last. */
  readonly #toPublish = new Map<string, Set<string>>();
  /** Per batch what its target had then. */
  readonly #toWithdraw = new Map<string, string[]>();
  /** Batches that another one was taken back of, and did not count on its events when they were verified. */
  readonly #outdated = new Set<string>();
  /** Published batches, in the order of their publishes. */
  readonly #published = new Set<string>();
  /** Those among them that were replaced, and by whom. */
  readonly #replacedBy = new Map<string, string>();
  /** Those that are being taken back. */
  readonly #going = new Set<string>();
  /** Per batch what its publish took out of sight, and whose it was. */
  readonly #withdrawn = new Map<string, Map<string, Holder>>();
  /** What live ingestion delivered when a batch had it. */
  readonly #lostByLive = new Set<string>();
  /** People who have asked to be forgotten, and whether their erasure is under way still. */
  readonly #forgotten = new Map<string, 'under way' | 'ended'>();
  readonly #personOf: (event: string) => string;

  constructor(targets: ReadonlyMap<string, Holder>, personOf: (event: string) => string) {
    this.#targets = targets;
    this.#personOf = personOf;
  }

  /** Who is suppressed. */
  get suppressed(): string[] {
    return [...this.#forgotten.keys()];
  }

  /** Of somebody who is being forgotten just now: their keys go at some time until the end. */
  isGoing(event: string): boolean {
    return this.#forgotten.get(this.#personOf(event)) === 'under way';
  }

  /** Who is suppressed from now on. */
  forget(person: string): void {
    this.#forgotten.set(person, 'under way');
  }

  /** What live ingestion has of somebody goes before anything is waited for. */
  eraseLive(person: string): void {
    for (const [event, holder] of this.live) {
      if (holder === null && this.#personOf(event) === person) this.live.delete(event);
    }
  }

  /** A batch that rests has nothing of them any more. */
  eraseFromBatch(person: string, batch: string): void {
    const isTheirs = (event: string) => this.#personOf(event) === person;
    for (const [event, holder] of this.live) if (holder === batch && isTheirs(event)) this.live.delete(event);
    for (const events of [this.#delivered.get(batch), this.#toPublish.get(batch)]) {
      for (const event of events ?? []) if (isTheirs(event)) events?.delete(event);
    }
  }

  /** Nobody has anything of them any more. */
  endErasure(person: string): void {
    for (const events of [this.live, this.claims, this.#lostByLive, ...this.#withdrawn.values()]) {
      for (const event of events.keys()) if (this.#personOf(event) === person) events.delete(event);
    }
    this.#forgotten.set(person, 'ended');
  }

  #mayGoLive(event: string): boolean {
    return !this.#forgotten.has(this.#personOf(event));
  }

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
    const isFree = (event: string) => !this.live.has(event) || this.live.get(event) === this.#targets.get(batch);
    this.#toPublish.set(batch, new Set([...delivered].filter(isFree)));
    this.#toWithdraw.set(batch, this.#ofTarget(batch));
    this.#outdated.delete(batch);
  }

  /** What the target of a batch has live. */
  #ofTarget(batch: string): string[] {
    const target = this.#targets.get(batch);
    return [...this.live].flatMap(([event, holder]) => (holder === target ? [event] : [])).sort();
  }

  isReplaced(batch: string): boolean {
    return this.#replacedBy.has(batch);
  }

  /** Whether there is something to put in whose place a batch is published, if it is to have one's place. */
  hasTarget(batch: string): boolean {
    const target = this.#targets.get(batch) ?? null;
    return target === null || (this.#published.has(target) && !this.#replacedBy.has(target));
  }

  /** Whether it may be published then: nobody is about to take the target back. */
  canReplace(batch: string): boolean {
    return this.hasTarget(batch) && !this.#going.has(this.#targets.get(batch) ?? '');
  }

  /** Whether its gates pass: a batch that has nothing to show proves nothing. */
  canPass(batch: string): boolean {
    return this.canReplace(batch) && (this.#delivered.get(batch)?.size ?? 0) > 0;
  }

  /** What a batch was verified for and a batch has published since, and what it could publish but was not verified for. */
  stale(batch: string): string[] {
    const toPublish = this.#toPublish.get(batch) ?? new Set();
    const isTaken = (holder: Holder) => holder !== null && holder !== this.#targets.get(batch);
    return [...[...toPublish].filter((event) => isTaken(this.live.get(event) ?? null)), ...this.missed(batch)];
  }

  /** What a batch delivered, nobody has live, and it would not publish. */
  missed(batch: string): string[] {
    const toPublish = this.#toPublish.get(batch) ?? new Set();
    const delivered = this.#delivered.get(batch) ?? new Set();
    const isMissed = (event: string) => !toPublish.has(event) && !this.live.has(event) && this.#mayGoLive(event);
    return [...delivered].filter(isMissed);
  }

  /** Whether a publish may go back to the gates instead. */
  mayGoBack(batch: string): boolean {
    const hasChanged = this.#ofTarget(batch).join() !== this.#toWithdraw.get(batch)?.join();
    return this.#outdated.has(batch) || !this.canReplace(batch) || (this.#targets.has(batch) && hasChanged);
  }

  publish(batch: string): void {
    this.#published.add(batch);
    this.#withdraw(batch);
    for (const event of this.#toPublish.get(batch) ?? []) {
      if (this.live.has(event) || !this.#mayGoLive(event)) continue;
      this.live.set(event, batch);
      this.claims.set(event, batch);
    }
    for (const event of this.#withdrawn.get(batch)?.keys() ?? []) {
      if (!this.live.has(event)) this.#outdate(event, batch);
    }
  }

  /** What others claim stays their claim. */
  #withdraw(batch: string): void {
    const target = this.#targets.get(batch);
    if (target === undefined) return;
    this.#withdrawn.set(batch, new Map(this.#ofTarget(batch).map((event) => [event, target])));
    for (const event of this.#ofTarget(batch)) this.live.delete(event);
    if (target !== null) this.#replacedBy.set(target, batch);
  }

  beginRollBack(batch: string): void {
    this.#going.add(batch);
  }

  /**
   * Takes a batch back. What it had replaced comes back, if nobody else has it by now. What somebody else delivered too goes
   * to live ingestion, else to the batch among those that was published first, else to those that are not published, by
   * their gates.
   */
  rollBack(batch: string): void {
    this.#leaveToLater(batch);
    this.#published.delete(batch);
    this.#going.delete(batch);
    const withdrawn = this.#withdrawn.get(batch) ?? new Map<string, Holder>();
    this.#withdrawn.delete(batch);
    for (const [event, holder] of this.live) {
      if (holder !== batch) continue;
      if (withdrawn.has(event)) this.live.delete(event);
      else this.#handOver(event, batch);
    }
    for (const [event, owner] of this.claims) if (owner === batch) this.#returnClaim(event);
    for (const [event, origin] of withdrawn) this.#revive(event, origin);
    for (const [target, by] of this.#replacedBy) if (by === batch) this.#replacedBy.delete(target);
    this.#delivered.delete(batch);
    this.#toPublish.delete(batch);
    this.#outdated.delete(batch);
  }

  /** Live events that a later batch would have replaced, had they been live then, are its from now on. */
  #leaveToLater(batch: string): void {
    const withdrawn = this.#withdrawn.get(batch);
    if (withdrawn === undefined || this.#targets.get(batch) !== null) return;
    const published = [...this.#published];
    const later = published
      .slice(published.indexOf(batch) + 1)
      .find((other) => this.#targets.get(other) === null && !this.#replacedBy.has(other));
    if (later === undefined) return;
    for (const event of withdrawn.keys()) this.#withdrawn.get(later)?.set(event, null);
    withdrawn.clear();
  }

  #revive(event: string, origin: Holder): void {
    if (!this.#mayGoLive(event)) return;
    if (!this.live.has(event)) {
      this.live.set(event, origin);
      if (origin !== null) this.claims.set(event, origin);
    } else if (origin === null && this.live.get(event) !== null) {
      this.#lostByLive.add(event);
    }
  }

  /** To the last of the replaced batches that had it, if there is one. */
  #returnClaim(event: string): void {
    const hadIt = (other: string) =>
      [...this.#withdrawn.values()].some((withdrawn) => withdrawn.get(event) === other && withdrawn.has(event));
    const heir = [...this.#published].findLast((other) => this.#replacedBy.has(other) && hadIt(other));
    if (heir === undefined) this.claims.delete(event);
    else this.claims.set(event, heir);
  }

  #handOver(event: string, batch: string): void {
    const heir = [...this.#published].find((other) => this.#hasDelivered(other, event) && !this.isReplaced(other));
    if (!this.#mayGoLive(event)) {
      this.live.delete(event);
    } else if (this.#lostByLive.delete(event)) {
      this.live.set(event, null);
    } else if (heir !== undefined) {
      this.live.set(event, heir);
      this.claims.set(event, heir);
    } else {
      this.live.delete(event);
      this.#outdate(event, batch);
    }
  }

  #hasDelivered(batch: string, event: string): boolean {
    return this.#delivered.get(batch)?.has(event) ?? false;
  }

  /** Nobody has the event any more: those that are not published and do not count on it are measured anew. */
  #outdate(event: string, batch: string): void {
    for (const [other, toPublish] of this.#toPublish) {
      if (other !== batch && this.#hasDelivered(other, event) && !toPublish.has(event)) this.#outdated.add(other);
    }
  }
}
