import { isoUtc } from '../domain/utc-text.ts';
import type { TransformedEvent } from '../recipe/line-outcome.ts';
import { copyPlainField, copyTextField } from './copy-text.ts';

/**
 * Columns of an import part's object, in order: COPY text format, one row per accepted line, so that the importer
 * loads it without parsing. What is the same for the whole part (batch, source, file) stands in the ledger, the lines in
 * backfill_event_checkpoint_raw, in the same order.
 */
export const IMPORT_PART_COLUMNS = [
  'event_id',
  'event_name',
  'schema_version',
  'event_ts',
  'session_id',
  'subject_id',
  'payload',
] as const;

/** One row of an import part's object. Put together by hand: this is done for every event. */
export function importPartRow(event: TransformedEvent): string {
  const { eventName, schemaVersion, sessionId, subjectId } = event;
  const names = `${copyPlainField(event.eventId)}\t${copyTextField(eventName)}\t${copyTextField(schemaVersion)}`;
  const ids = `${copyTextField(sessionId)}\t${copyTextField(subjectId)}`;
  return `${names}\t${isoUtc(event.eventTsMs)}\t${ids}\t${copyPlainField(event.payload)}\n`;
}
