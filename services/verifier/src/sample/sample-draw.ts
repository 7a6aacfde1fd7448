import { hash } from 'node:crypto';

/** Events that a sample has at least, where there are so many. */
export const SAMPLE_EVENTS = 20;
/** Beyond this many, types and files that have no event in the sample yet get none. */
const MAX_SAMPLE_EVENTS = 60;

/** A row to publish, as far as the draw looks at it. */
export interface DrawnRow {
  event_id: string;
  event_name: string;
  subject_id: string | null;
  part_id: number;
}

interface Candidate {
  eventId: string;
  rank: number;
}

/** The candidates of one stratum with the lowest ranks, lowest first. */
class Stratum {
  readonly best: Candidate[] = [];
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
  }

  offer(eventId: string, rank: number): void {
    const { best } = this;
    if (best.length === this.#size && rank >= (best.at(-1) as Candidate).rank) return;
    const at = best.findIndex((candidate) => candidate.rank > rank);
    best.splice(at < 0 ? best.length : at, 0, { eventId, rank });
    if (best.length > this.#size) best.pop();
  }
}

const byRank = (a: Candidate, b: Candidate) => a.rank - b.rank;

/** The finaliser of MurmurHash3: every bit of the input decides over every bit of the output. */
function mix(bits: number): number {
  let value = bits | 0;
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

/**
 * Draws the events of a sample in one pass over the rows to publish, in memory that grows with types and files only.
 *
 * Each row gets a rank from its payload's hash (the end of its id) and a seed; the lowest ranks of each event type and of
 * each file are drawn. The seed of a block of rows is the plan hash and the digest of all rows to the block's end. So the
 * same rows under the same plan give the same sample, and whoever changes a row draws anew, from that row on.
 */
export class SampleDraw {
  readonly #planHash: string;
  readonly #fileOfPart: ReadonlyMap<number, number>;
  readonly #isSuppressed: (subjectId: string) => boolean;
  readonly #types = new Map<string, Stratum>();
  readonly #files = new Map<number, Stratum>();
  /** Rows that could have been drawn. */
  rows = 0;

  /**
   * @param fileOfPart the file number of each import part
   * @param isSuppressed true for a person whose events a publish will leave out: they are not shown to anybody
   */
  constructor(planHash: string, fileOfPart: ReadonlyMap<number, number>, isSuppressed: (subjectId: string) => boolean) {
    this.#planHash = planHash;
    this.#fileOfPart = fileOfPart;
    this.#isSuppressed = isSuppressed;
  }

  /**
   * Looks at the next rows.
   *
   * @param digest of all rows up to the last of these, lower-case hex
   */
  addBlock(rows: readonly DrawnRow[], digest: string): void {
    const seed = hash('sha256', `${this.#planHash}\n${digest}`, 'hex');
    const [high, low] = [Number.parseInt(seed.slice(0, 8), 16), Number.parseInt(seed.slice(8, 16), 16)];
    for (const { event_id: eventId, event_name: eventName, subject_id: subjectId, part_id: partId } of rows) {
      if (subjectId !== null && this.#isSuppressed(subjectId)) continue;
      this.rows += 1;
      const first = mix(Number.parseInt(eventId.slice(-16, -8), 16) ^ high);
      const second = mix(Number.parseInt(eventId.slice(-8), 16) ^ low ^ first);
      const rank = first * 0x20_0000 + (second >>> 11);
      stratumOf(this.#types, eventName, SAMPLE_EVENTS).offer(eventId, rank);
      stratumOf(this.#files, this.#fileOfPart.get(partId) ?? -1, 1).offer(eventId, rank);
    }
  }

  /** Events that there must be in the sample. */
  get asked(): number {
    return Math.min(SAMPLE_EVENTS, this.rows);
  }

  /** The ids of the events drawn: one of each type, one of each file, and more of the types in turn. */
  drawn(): string[] {
    const types = [...this.#types.values()].map(({ best }) => best);
    const files = [...this.#files.values()].map(({ best }) => best);
    const firstOf = (strata: Candidate[][], turn: number) =>
      strata.flatMap((best) => best.slice(turn, turn + 1)).sort(byRank);
    const ids = new Set<string>();
    for (const { eventId } of [...firstOf(types, 0), ...firstOf(files, 0)]) {
      if (ids.size < MAX_SAMPLE_EVENTS) ids.add(eventId);
    }
    for (let turn = 1; turn < SAMPLE_EVENTS; turn++) {
      for (const { eventId } of firstOf(types, turn)) if (ids.size < SAMPLE_EVENTS) ids.add(eventId);
    }
    return [...ids].sort();
  }
}

function stratumOf<Key>(strata: Map<Key, Stratum>, key: Key, size: number): Stratum {
  const known = strata.get(key);
  if (known !== undefined) return known;
  const made = new Stratum(size);
  strata.set(key, made);
  return made;
}
