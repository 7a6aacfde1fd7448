import { hash } from 'node:crypto';
import { type Candidate, Strata } from './strata.ts';

/** Events that a sample has at least, where there are so many. */
const SAMPLE_EVENTS = 20;
/** And at most, where the policy names no `max_sample_events`: types and files beyond have no event in it. */
const MAX_SAMPLE_EVENTS = 60;
/** Pairs of type and file that candidates are kept for: what comes later has only those of its type and its file. */
const MAX_PAIRS = 50_000;

/** A row to publish, as far as the draw looks at it. */
export interface DrawnRow {
  event_id: string;
  event_name: string;
  subject_id: string | null;
  part_id: number;
}

interface DrawOptions {
  planHash: string;
  /** The file number of each import part. */
  fileOfPart: ReadonlyMap<number, number>;
  /** True for a person whose events a publish will leave out: they are not shown to anybody. */
  isSuppressed: (subjectId: string) => boolean;
  /** Events at most; never less than {@link SAMPLE_EVENTS}. */
  maxEvents?: number | undefined;
}

/** What there is to draw from. */
export interface PresentStrata {
  types: readonly string[];
  /** File numbers. */
  files: readonly number[];
  /** Types in files; of more than {@link MAX_PAIRS}, so many. */
  pairs: number;
}

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
 * Each row gets a rank from its payload's hash (the end of its id) and a seed; of each event type, of each file, and of each
 * type in each file (the strata) the lowest ranks are candidates. The seed of a block of rows is the plan hash and the digest
 * of all rows to the block's end. So the same rows under the same plan give the same sample, and whoever changes a row draws
 * anew, from that row on.
 *
 * Where there are more strata than a sample has events, their turns are in the order of a hash of their names under the plan
 * hash and the first rows: large and small ones have the same chance, and another batch has another order.
 */
export class SampleDraw {
  readonly #options: DrawOptions;
  #types: Strata<string> | undefined;
  #files: Strata<number> | undefined;
  #pairs: Strata<string> | undefined;
  /** Names of the pairs, by file and type. */
  readonly #pairNames = new Map<number, Map<string, string>>();
  #pairCount = 0;
  #drawn: string[] | undefined;
  /** Rows that could have been drawn. */
  rows = 0;
  readonly maxEvents: number;

  constructor(options: DrawOptions) {
    this.#options = options;
    this.maxEvents = Math.max(SAMPLE_EVENTS, options.maxEvents ?? MAX_SAMPLE_EVENTS);
  }

  /**
   * Looks at the next rows.
   *
   * @param digest of all rows up to the last of these, lower-case hex
   */
  addBlock(rows: readonly DrawnRow[], digest: string): void {
    const { planHash, fileOfPart, isSuppressed } = this.#options;
    const seed = hash('sha256', `${planHash}\n${digest}`, 'hex');
    const [high, low] = [Number.parseInt(seed.slice(0, 8), 16), Number.parseInt(seed.slice(8, 16), 16)];
    this.#types ??= new Strata(`type ${seed}`, SAMPLE_EVENTS);
    this.#files ??= new Strata(`file ${seed}`, 1);
    this.#pairs ??= new Strata(`pair ${seed}`, 1);
    for (const { event_id: eventId, event_name: type, subject_id: subjectId, part_id: partId } of rows) {
      if (subjectId !== null && isSuppressed(subjectId)) continue;
      this.rows += 1;
      const first = mix(Number.parseInt(eventId.slice(-16, -8), 16) ^ high);
      const second = mix(Number.parseInt(eventId.slice(-8), 16) ^ low ^ first);
      const rank = first * 0x20_0000 + (second >>> 11);
      const file = fileOfPart.get(partId) ?? -1;
      const candidate = { eventId, rank, type, file };
      this.#types.offer(type, candidate);
      this.#files.offer(file, candidate);
      const pair = this.#pairName(candidate);
      if (pair !== undefined) this.#pairs.offer(pair, candidate);
    }
  }

  /** Events that there must be in the sample. */
  get asked(): number {
    return this.drawn().length;
  }

  /** The strata that rows which could have been drawn are of. */
  get present(): PresentStrata {
    const [types, files] = [this.#types?.names() ?? [], this.#files?.names() ?? []];
    return { types: types.toSorted(), files: files.toSorted((a, b) => a - b), pairs: this.#pairCount };
  }

  /**
   * The ids of the events drawn: first one of each type and one of each file, then one of each type in each file, then more
   * of the types in turn; what is in the sample by then is not drawn again.
   */
  drawn(): string[] {
    this.#drawn ??= this.#draw();
    return this.#drawn;
  }

  /** One text for each pair: to make one for each row would cost more than all else here. */
  #pairName({ type, file }: Candidate): string | undefined {
    let ofFile = this.#pairNames.get(file);
    if (ofFile === undefined) {
      ofFile = new Map();
      this.#pairNames.set(file, ofFile);
    }
    const known = ofFile.get(type);
    if (known !== undefined || this.#pairCount === MAX_PAIRS) return known;
    const name = `${file} ${type}`;
    ofFile.set(type, name);
    this.#pairCount += 1;
    return name;
  }

  #draw(): string[] {
    const chosen = new Map<string, Candidate>();
    const covered = { types: new Set<string>(), files: new Set<number>(), pairs: new Set<string | undefined>() };
    const take = (candidate: Candidate) => {
      chosen.set(candidate.eventId, candidate);
      covered.types.add(candidate.type);
      covered.files.add(candidate.file);
      covered.pairs.add(this.#pairName(candidate));
    };
    const isNew = {
      type: ({ type }: Candidate) => !covered.types.has(type),
      file: ({ file }: Candidate) => !covered.files.has(file),
      pair: (candidate: Candidate) => !covered.pairs.has(this.#pairName(candidate)),
    };
    const turns = (strata: Strata<string> | Strata<number> | undefined, of: keyof typeof isNew) =>
      (strata?.inTurn() ?? []).map((turn) => ({ ...turn, isOpen: isNew[of] }));
    const ends = [...turns(this.#types, 'type'), ...turns(this.#files, 'file')].sort((a, b) => a.turn - b.turn);
    for (const { best, isOpen } of [...ends, ...turns(this.#pairs, 'pair')]) {
      if (chosen.size < this.maxEvents && isOpen(best)) take(best);
    }
    for (let turn = 0; turn < SAMPLE_EVENTS; turn++) {
      for (const candidate of this.#types?.nth(turn) ?? []) if (chosen.size < SAMPLE_EVENTS) take(candidate);
    }
    return [...chosen.keys()].sort();
  }
}
