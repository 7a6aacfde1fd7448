import type { JsonObject } from '../domain/json.ts';

/** An event with nothing in it but what may leave the transformer. It has no number and no id yet. */
export interface CleanedEvent {
  eventName: string;
  schemaVersion: string;
  /** Whole ms since 1970. */
  eventTsMs: number;
  recordId: string | null;
  sessionId: string | null;
  subjectId: string | null;
  /** As the schema wants them, after allow-list, upcasts and PII rules; names in canonical order. */
  properties: JsonObject;
}

/**
 * What the first half of a recipe made of a line. A quarantined one still names the person it is about where that is
 * known, because a suppression goes before everything that is found later.
 */
export type CleanedLine =
  | { outcome: 'cleaned'; event: CleanedEvent }
  | { outcome: 'suppressed' | 'expired' | 'filtered' }
  | { outcome: 'quarantined'; reason: string; subjectId?: string | null };

/** The outcome of a line of this person that cannot become an event. */
export function quarantinedOf(subjectId: string | null, reason: string): CleanedLine {
  return { outcome: 'quarantined', reason, subjectId };
}
