import type { LineOutcome } from '../recipe/line-outcome.ts';
import { PiiCounter, type PiiCounts } from '../recipe/pii-counter.ts';

/** Places kept of each quarantine reason; further ones are only counted. */
const MAX_PLACES = 1_000;

export interface QuarantineReason {
  reason: string;
  lines: number;
  /** The first of them. */
  places: { source_file: string; line_no: number }[];
}

/** What came of a number of lines, as JSON. */
export interface TransformSummary {
  read: number;
  accepted: number;
  suppressed: number;
  expired: number;
  filtered: number;
  quarantined: number;
  /** Accepted events by type and UTC day. */
  events: { event_name: string; day: string; events: number }[];
  /** Personal data that the detectors found in free text. */
  pii_hits: { field: string; detector: string; hits: number }[];
  /** Fields that the taxonomy drops, and how often they were there. */
  dropped_fields: { field: string; values: number }[];
  /** Fields that are not in the taxonomy, over all lines. */
  unknown_fields: number;
  quarantine: QuarantineReason[];
}

const DAY_CHARS = 'YYYY-MM-DD'.length;

function byText<T>(text: (item: T) => string): (a: T, b: T) => number {
  return (a, b) => (text(a) < text(b) ? -1 : 1);
}

function summariseCounts({ hits, dropped, unknownFields }: PiiCounts) {
  const found = Object.entries(hits).flatMap(([field, byDetector]) =>
    Object.entries(byDetector).map(([detector, count]) => ({ field, detector, hits: count })),
  );
  const droppedFields = Object.entries(dropped).map(([field, values]) => ({ field, values }));
  return {
    pii_hits: found.sort(byText((row) => `${row.field} ${row.detector}`)),
    dropped_fields: droppedFields.sort(byText((row) => row.field)),
    unknown_fields: unknownFields,
  };
}

/** Counts outcomes in bounded memory: by type and day, by reason, by field and detector. */
export class TransformCounts {
  readonly #outcomes = { accepted: 0, suppressed: 0, expired: 0, filtered: 0, quarantined: 0 };
  readonly #events = new Map<string, number>();
  /** Is told by the recipe's privacy rules what they do. */
  readonly pii = new PiiCounter();
  readonly #reasons = new Map<string, QuarantineReason>();

  add(sourceFile: string, lineNo: number, result: LineOutcome): void {
    this.#outcomes[result.outcome] += 1;
    if (result.outcome === 'accepted') {
      const day = new Date(result.event.eventTsMs).toISOString().slice(0, DAY_CHARS);
      const key = `${day} ${result.event.eventName}`;
      this.#events.set(key, (this.#events.get(key) ?? 0) + 1);
    }
    if (result.outcome === 'quarantined') this.#addReason(result.reason, sourceFile, lineNo);
  }

  #addReason(reason: string, sourceFile: string, lineNo: number): void {
    const known = this.#reasons.get(reason) ?? { reason, lines: 0, places: [] };
    known.lines += 1;
    if (known.places.length < MAX_PLACES) known.places.push({ source_file: sourceFile, line_no: lineNo });
    this.#reasons.set(reason, known);
  }

  summary(): TransformSummary {
    const outcomes = this.#outcomes;
    const events = [...this.#events].map(([key, count]) => ({
      event_name: key.slice(DAY_CHARS + 1),
      day: key.slice(0, DAY_CHARS),
      events: count,
    }));
    return {
      read: Object.values(outcomes).reduce((sum, count) => sum + count, 0),
      ...outcomes,
      events: events.sort(byText((row) => `${row.event_name} ${row.day}`)),
      ...summariseCounts(this.pii.counts),
      quarantine: [...this.#reasons.values()].sort(byText((row) => row.reason)),
    };
  }
}
