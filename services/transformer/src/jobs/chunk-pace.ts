import { setTimeout as sleep } from 'node:timers/promises';
import { rawChunks } from '@backfill/core/contracts/raw-chunks';
import { countOpenWork } from '@backfill/core/db/queries/open-work-count';
import { hasWorkOfOthers } from '@backfill/core/db/queries/other-work-find';
import { DeferError } from '@backfill/core/errors';
import type { KeyedRuntime } from '@backfill/core/runtime/keyed-runtime';

/** How long a chunk stays open for importers that lag, in case they are about to catch up. */
const LONGEST_WAIT_MS = 10_000;
const LOOK_EVERY_MS = 250;
/** How long a chunk is put off that has nowhere to put its parts. */
const PUT_OFF_MS = 2_000;
const GIVE_WAY_MS = 500;
/** A chunk that comes back reads its beginning again: it must get ahead for a multiple of that time. */
const LEAST_GAIN = 2;

/**
 * Keeps a chunk's job from running ahead of the importers, and from keeping the transformer from other batches. What it
 * puts off comes back behind their work and costs no attempt; the parts that are registered stay.
 */
export class ChunkPace {
  readonly #context: KeyedRuntime;
  readonly #batchId: string;
  readonly #startedMs = performance.now();
  #firstPartMs: number | undefined;

  constructor(context: KeyedRuntime, batchId: string) {
    this.#context = context;
    this.#batchId = batchId;
  }

  /**
   * Before the chunk is read: nothing is read in vain while the importers are far behind.
   *
   * @throws {DeferError}
   */
  async requireRoom(): Promise<void> {
    const ready = await this.#readyParts();
    if (ready > this.#context.config.partsAhead / 2) throw this.#putOff(ready);
  }

  /** Tells that the lines of registered parts are skipped, and new ones are come to. */
  beginParts(): void {
    this.#firstPartMs ??= performance.now();
  }

  /**
   * After each part: waits a while for the importers, and gives way to other batches after a slice of time.
   *
   * @throws {DeferError}
   */
  async afterPart(signal: AbortSignal): Promise<void> {
    const { partsAhead, sliceMs } = this.#context.config;
    const waitingSinceMs = performance.now();
    for (let ready = await this.#readyParts(); ready >= partsAhead; ready = await this.#readyParts()) {
      const isLong = performance.now() - waitingSinceMs >= LONGEST_WAIT_MS;
      if (isLong || (await this.#isOtherWorkWaiting())) throw this.#putOff(ready);
      await sleep(LOOK_EVERY_MS, undefined, { signal });
    }
    const firstPartMs = this.#firstPartMs ?? this.#startedMs;
    const sliceEndMs = firstPartMs + Math.max(sliceMs, LEAST_GAIN * (firstPartMs - this.#startedMs));
    if (performance.now() >= sliceEndMs && (await this.#isOtherWorkWaiting())) {
      throw new DeferError(`batch ${this.#batchId} gives way to others`, GIVE_WAY_MS);
    }
  }

  async #readyParts(): Promise<number> {
    return (await countOpenWork(this.#context.pool, this.#batchId)).parts;
  }

  /** True when a job waits that no transformer is free for, and another batch has work here. */
  async #isOtherWorkWaiting(): Promise<boolean> {
    const { pool, producers } = this.#context;
    if (!(await hasWorkOfOthers(pool, rawChunks.name, this.#batchId))) return false;
    return (await producers[rawChunks.name].countWaiting()) > 0;
  }

  #putOff(ready: number): DeferError {
    return new DeferError(`${ready} parts of batch ${this.#batchId} wait for their import`, PUT_OFF_MS);
  }
}
