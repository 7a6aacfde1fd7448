import type { TransformedEvent } from '../recipe/line-outcome.ts';
import { copyTextRow } from './copy-text.ts';

/**
 * Columns of an import part's object, in order: COPY text format, one row per accepted line, so that the importer
 * loads it without parsing. What is the same for the whole part (batch, source, file) stands in the ledger.
 */
export const IMPORT_PART_COLUMNS = [
  'line_no',
  'event_id',
  'event_name',
  'schema_version',
  'event_ts',
  'session_id',
  'subject_id',
  'payload',
] as const;

/** One row of an import part's object. */
export function importPartRow(lineNo: number, event: TransformedEvent): string {
  return copyTextRow([
    String(lineNo),
    event.eventId,
    event.eventName,
    event.schemaVersion,
    new Date(event.eventTsMs).toISOString(),
    event.sessionId,
    event.subjectId,
    event.payload,
  ]);
}
