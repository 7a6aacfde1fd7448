/** An event as it is stored; its id is computed from the payload text. */
export interface TransformedEvent {
  eventId: string;
  eventName: string;
  schemaVersion: string;
  /** Whole ms since 1970. */
  eventTsMs: number;
  sessionId: string | null;
  subjectId: string | null;
  /** Canonical JSON text. */
  payload: string;
}

/**
 * A line that no event came of, and why. A quarantine reason is a code (with a place in the schema for `schema:`
 * reasons), never a value of the line.
 */
export type EventlessOutcome =
  | { outcome: 'suppressed' | 'expired' | 'filtered' }
  | { outcome: 'quarantined'; reason: string };

/** What one raw line became. */
export type LineOutcome = { outcome: 'accepted'; event: TransformedEvent } | EventlessOutcome;

export const FILTERED: EventlessOutcome = { outcome: 'filtered' };
export const EXPIRED: EventlessOutcome = { outcome: 'expired' };
export const SUPPRESSED: EventlessOutcome = { outcome: 'suppressed' };

/** The outcome of a line that cannot become an event. */
export function quarantined(reason: string): EventlessOutcome {
  return { outcome: 'quarantined', reason };
}
