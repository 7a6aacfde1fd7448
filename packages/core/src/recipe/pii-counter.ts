import type { DetectorName } from '../domain/detector-name.ts';
import type { PiiObserver } from './pii-context.ts';

/** What the privacy rules did to a number of lines, as plain JSON. */
export interface PiiCounts {
  /** Field → detector → values in which it found something. */
  hits: Record<string, Partial<Record<DetectorName, number>>>;
  /** Field that the taxonomy drops → how often it was there. */
  dropped: Record<string, number>;
  /** Fields that are not in the taxonomy, over all records. Their names are not kept: anything may stand in them. */
  unknownFields: number;
}

/** Counts what a recipe's privacy rules do. */
export class PiiCounter implements PiiObserver {
  readonly counts: PiiCounts = { hits: {}, dropped: {}, unknownFields: 0 };

  hit(field: string, detector: DetectorName): void {
    let byDetector = this.counts.hits[field];
    if (byDetector === undefined) {
      byDetector = {};
      this.counts.hits[field] = byDetector;
    }
    byDetector[detector] = (byDetector[detector] ?? 0) + 1;
  }

  dropped(field: string): void {
    this.counts.dropped[field] = (this.counts.dropped[field] ?? 0) + 1;
  }

  unknown(fields: number): void {
    this.counts.unknownFields += fields;
  }
}
