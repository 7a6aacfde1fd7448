import { hash } from 'node:crypto';

/** A row that may be drawn, by its rank. */
export interface Candidate {
  eventId: string;
  rank: number;
  type: string;
  file: number;
}

interface Stratum {
  /** Those with the lowest ranks, lowest first. */
  best: Candidate[];
  /** When its turn is: a hash of its name. */
  turn: number;
}

/** What rows are divided by, and the candidates of each part. */
export class Strata<Name extends string | number> {
  readonly #strata = new Map<Name, Stratum>();
  readonly #seed: string;
  readonly #size: number;

  /**
   * @param seed decides about the order of their turns
   * @param size candidates that are kept of each
   */
  constructor(seed: string, size: number) {
    this.#seed = seed;
    this.#size = size;
  }

  names(): Name[] {
    return [...this.#strata.keys()];
  }

  offer(name: Name, candidate: Candidate): void {
    const known = this.#strata.get(name);
    if (known === undefined) {
      const turn = Number.parseInt(hash('sha256', `${this.#seed}\n${name}`, 'hex').slice(0, 12), 16);
      this.#strata.set(name, { turn, best: [candidate] });
      return;
    }
    const { best } = known;
    if (best.length === this.#size && candidate.rank >= (best.at(-1) as Candidate).rank) return;
    const at = best.findIndex(({ rank }) => rank > candidate.rank);
    best.splice(at < 0 ? best.length : at, 0, candidate);
    if (best.length > this.#size) best.pop();
  }

  /** The best candidate of each, in the order of their turns. */
  inTurn(): { turn: number; best: Candidate }[] {
    return this.#inOrder().map(({ turn, best }) => ({ turn, best: best[0] as Candidate }));
  }

  /** The candidates at one place of each, in the order of their turns. */
  nth(place: number): Candidate[] {
    return this.#inOrder().flatMap(({ best }) => best.slice(place, place + 1));
  }

  #inOrder(): Stratum[] {
    return [...this.#strata.values()].sort((a, b) => a.turn - b.turn);
  }
}
