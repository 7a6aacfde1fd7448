import { hash, randomBytes } from 'node:crypto';

const LANES = 4;

/** Two sets of texts that are compared under the same key. */
export interface MultisetPair {
  first: MultisetHash;
  second: MultisetHash;
}

/**
 * A hash over texts in any order, each as often as it comes: the sum of their sha256 under a key, 128 bits of it
 * (MSet-Add-Hash: Clarke et al., Incremental Multiset Hash Functions and Their Application to Memory Integrity Checking,
 * 2003). The key is drawn when the texts are there already, so that nobody can have chosen them by it.
 */
export class MultisetHash {
  readonly #key: string;
  readonly #sum = new Uint32Array(LANES);
  #count = 0;

  private constructor(key: string) {
    this.#key = key;
  }

  /** Two empty ones, to be compared with each other. */
  static pair(): MultisetPair {
    const key = randomBytes(32).toString('hex');
    return { first: new MultisetHash(key), second: new MultisetHash(key) };
  }

  add(text: string): void {
    const digest = hash('sha256', this.#key + text, 'buffer');
    for (let lane = 0; lane < LANES; lane += 1) {
      // Wraps around at 2^32, as an element of a Uint32Array does.
      this.#sum[lane] = (this.#sum[lane] as number) + digest.readUInt32LE(lane * 4);
    }
    this.#count += 1;
  }

  /** True when both have the same texts, each as often. */
  equals(other: MultisetHash): boolean {
    return this.#count === other.#count && this.#sum.every((lane, at) => lane === other.#sum[at]);
  }
}
