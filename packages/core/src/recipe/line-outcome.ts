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
 * What one raw line became. A quarantine reason is a code (with a place in the schema for
 * `schema:` reasons), never a value of the line.
 */
export type LineOutcome =
  | { outcome: 'accepted'; event: TransformedEvent }
  | { outcome: 'suppressed' | 'expired' | 'filtered' }
  | { outcome: 'quarantined'; reason: string };

export const FILTERED: LineOutcome = { outcome: 'filtered' };
export const EXPIRED: LineOutcome = { outcome: 'expired' };
export const SUPPRESSED: LineOutcome = { outcome: 'suppressed' };

/** The outcome of a line that cannot become an event. */
export function quarantined(reason: string): LineOutcome {
  return { outcome: 'quarantined', reason };
}
