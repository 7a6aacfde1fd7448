import type { TransformedEvent } from '../recipe/line-outcome.ts';

/** Where an event comes from. */
export interface EventOrigin {
  source: string;
  /** The object's key below the batch's input prefix. */
  sourceFile: string;
  lineNo: number;
}

/**
 * One line of a transformed NDJSON file, in the form that the contract fixes. The payload stands there as it is stored:
 * the event id is the hash of exactly these bytes.
 */
export function eventLine(event: TransformedEvent, { source, sourceFile, lineNo }: EventOrigin): string {
  const head = JSON.stringify({
    event_id: event.eventId,
    source,
    event_name: event.eventName,
    schema_version: event.schemaVersion,
    event_ts: new Date(event.eventTsMs).toISOString(),
    session_id: event.sessionId,
    subject_id: event.subjectId,
  });
  const place = JSON.stringify({ source_file: sourceFile, line_no: lineNo });
  return `${head.slice(0, -1)},"payload":${event.payload},${place.slice(1)}\n`;
}
