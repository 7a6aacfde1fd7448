import type { DetectorName } from '../../domain/detector-name.ts';

/** Finds one kind of personal data in free text. */
export interface Detector {
  name: DetectorName;
  /**
   * A cheap necessary condition: text without a match has no find. No flags, and linear like
   * everything here. Finds must also be what `mayHoldPersonalData` lets through.
   */
  hint: RegExp;
  /** The text with every find replaced; in linear time, since anybody may have written it. */
  mask(text: string): string;
  /**
   * False for what looks like a machine's own identifier too often (a number of eleven digits, a
   * long random word); such a detector does not judge the ids of records and sessions.
   */
  judgesIdentifiers: boolean;
}
