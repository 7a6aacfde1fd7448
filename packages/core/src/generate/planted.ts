/** What a generator put into a file, so that the balance of a run can be compared exactly. */
export interface Planted {
  /** All lines. */
  lines: number;
  /** Different events that a run over the lost window accepts. */
  events: number;
  /** Further copies of them. */
  duplicates: number;
  /** Those of `events` that live ingestion delivered as well. */
  alsoLive: number;
  /** Lines of `events` that belong to the person who objected (`OBJECTOR_ID`). */
  objector: number;
  filtered: { blank: number; outsideWindow: number; unmapped: number };
  /** By quarantine reason. */
  quarantined: Record<string, number>;
  /** E-mail and IP addresses written, counting repetitions. */
  personal: { emails: number; ips: number };
}

/** One raw file as it would lie in the bucket. */
export interface GeneratedFile {
  /** Key below the batch's prefix. */
  name: string;
  bytes: Buffer;
  planted: Planted;
  /** The different e-mail and IP addresses in the file, to search for afterwards. */
  identifiers: ReadonlySet<string>;
}

/** Nothing planted yet. */
export function emptyPlanted(): Planted {
  return {
    lines: 0,
    events: 0,
    duplicates: 0,
    alsoLive: 0,
    objector: 0,
    filtered: { blank: 0, outsideWindow: 0, unmapped: 0 },
    quarantined: {},
    personal: { emails: 0, ips: 0 },
  };
}

/** What was planted in all the files together. */
export function sumPlanted(parts: Iterable<Planted>): Planted {
  const sum = emptyPlanted();
  for (const part of parts) {
    sum.lines += part.lines;
    sum.events += part.events;
    sum.duplicates += part.duplicates;
    sum.alsoLive += part.alsoLive;
    sum.objector += part.objector;
    sum.filtered.blank += part.filtered.blank;
    sum.filtered.outsideWindow += part.filtered.outsideWindow;
    sum.filtered.unmapped += part.filtered.unmapped;
    sum.personal.emails += part.personal.emails;
    sum.personal.ips += part.personal.ips;
    for (const [reason, count] of Object.entries(part.quarantined)) {
      sum.quarantined[reason] = (sum.quarantined[reason] ?? 0) + count;
    }
  }
  return sum;
}
