/**
 * How an erasure treats a table: `erased` by the person, the events or the lines, `amended` where it is about them
 * (counts, checksums), `kept` on purpose, `working` while an erasure is under way, and `nobody` where nothing in it comes from
 * a person.
 */
export type StoreTreatment = 'erased' | 'amended' | 'kept' | 'working' | 'nobody';

/** Every table of the schema. A test fails for one that is missing here: whoever makes a table says what is in it. */
export const TABLES: Readonly<Record<string, StoreTreatment>> = {
  // Who must never come back: pseudonyms.
  privacy_suppressions: 'kept',
  backfill_erasures: 'kept',
  // Say of whom nothing.
  backfill_erasure_receipts: 'nobody',
  backfill_erasure_batches: 'nobody',
  backfill_erasure_objects: 'nobody',
  backfill_erased_lines: 'nobody',
  backfill_erasure_events: 'working',
  backfill_erasure_lines: 'working',

  events_log: 'erased',
  events_backfill_staging: 'erased',
  backfill_lineage: 'erased',
  backfill_event_checkpoint_raw: 'erased',
  backfill_event_checkpoint: 'erased',
  backfill_losers: 'erased',
  backfill_live_losses: 'erased',
  backfill_handovers: 'erased',
  backfill_quarantine: 'erased',
  backfill_occurrences: 'erased',
  // Sealed readings of files that are others now.
  backfill_recounts: 'erased',
  // Counts, checksums and places; ids of events only as examples.
  backfill_batches: 'amended',
  backfill_batches_metadata: 'amended',
  backfill_files: 'amended',
  backfill_raw_chunks: 'amended',
  backfill_import_parts: 'amended',
  backfill_publishes: 'amended',
  backfill_gate_results: 'amended',
  backfill_rollbacks: 'amended',
  // A copy of a snapshot while a rollback restores it; dropped with the snapshot it was loaded from.
  backfill_snapshot_loads: 'amended',

  // Append-only and chained: nothing of a person, no id of an event is ever written there.
  backfill_audit_log: 'nobody',
  backfill_audit_chain: 'nobody',
  backfill_api_tokens: 'nobody',
  backfill_approvals: 'nobody',
  backfill_deletions: 'nobody',
  backfill_escalation_decisions: 'nobody',
  backfill_escalations: 'nobody',
  backfill_freezes: 'nobody',
  backfill_import_pace: 'nobody',
  backfill_incidents: 'nobody',
  backfill_key_decisions: 'nobody',
  backfill_key_store: 'nobody',
  backfill_late_sweeps: 'nobody',
  backfill_outbox: 'nobody',
  backfill_plans: 'nobody',
  backfill_rehearsals: 'nobody',
  backfill_retention_marks: 'nobody',
  backfill_retention_runs: 'nobody',
  privacy_key_checks: 'nobody',
};

/** Columns that tell of a person or are derived from one, in whatever table. */
export const PERSONAL_COLUMNS = ['event_id', 'subject_id', 'session_id', 'payload', 'pseudonyms', 'line_no'] as const;

/** Tables with such a column that is about something else. */
export const IMPERSONAL: Readonly<Record<string, string>> = {
  'backfill_outbox.payload': 'ids of batches, chunks and parts, see contracts/',
  'backfill_erased_lines.line_no': 'where a line is empty',
};

/** Every kind of object in the archive, by what storage/layout.ts calls it. */
export const OBJECTS: Readonly<Record<string, StoreTreatment>> = {
  mirrorObject: 'erased',
  mirrorPrefix: 'erased',
  manifest: 'amended',
  oldManifest: 'nobody',
  erasing: 'working',
  erasingPrefix: 'working',
  part: 'erased',
  partsPrefix: 'erased',
  snapshot: 'erased',
  snapshotsPrefix: 'erased',
  samples: 'erased',
  samplesPrefix: 'erased',
  // Written anew from what is amended.
  report: 'amended',
  rehearsal: 'nobody',
  auditHead: 'nobody',
};
