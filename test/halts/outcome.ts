import type { HaltWorld } from './halt-world.ts';

/** What a finished batch has left, without what may differ between runs. Any number of rows, in constant memory. */
const ROWS: Readonly<Record<string, string>> = {
  staging: `select event_id, source, event_name, schema_version, event_ts, session_id, subject_id, payload::text,
                   is_duplicate, duplicate_kind from analytics.events_backfill_staging`,
  live: `select event_id, event_ts, source, event_name, schema_version, session_id, subject_id, payload::text
           from analytics.events`,
  keys: 'select event_id, batch_id from analytics.backfill_event_checkpoint',
  lineage: 'select event_id, source_file, line_no from analytics.backfill_lineage',
  accepted: 'select event_id, source_file, line_no from analytics.backfill_event_checkpoint_raw',
  quarantine: 'select source_file, line_no, reason from analytics.backfill_quarantine',
  gates: 'select run_no, gate, threshold, observed, passed from analytics.backfill_gate_results',
  // Not its hash: the retention cut-off follows the time of planning.
  plan: 'select attempt from analytics.backfill_plans',
  mirror: 'select source_file, size, sha256, line_count from analytics.backfill_files',
  parts: `select part_no, first_line, line_count, is_canary, state, object_sha256, event_count, inserted, suppressed,
                 expired, filtered, quarantined from analytics.backfill_import_parts`,
  balance: `select sum(line_count) as read, sum(inserted) as inserted, sum(suppressed + expired + filtered) as left_out,
                   sum(duplicate_same_batch + duplicate_other_batch + duplicate_live) as duplicate,
                   sum(quarantined) as quarantined from analytics.backfill_import_parts`,
};

/** Of each kind of rows their number, and two sums of hashes over all of their columns. */
export async function readOutcome({ sql }: HaltWorld): Promise<Record<string, string>> {
  const outcome: Record<string, string> = {};
  for (const [what, query] of Object.entries(ROWS)) {
    const { rows } = await sql.query(
      `select count(*), sum(hashtextextended(r::text, 0)::numeric) as one, sum(hashtextextended(r::text, 1)::numeric) as two
         from (${query}) r`,
    );
    outcome[what] = JSON.stringify(rows[0]);
  }
  return outcome;
}

/** Rows of a first run that are others in a second one. */
export function differences(first: Record<string, string>, second: Record<string, string>): string[] {
  return Object.keys(first)
    .filter((what) => first[what] !== second[what])
    .map((what) => `${what} differs: ${second[what]} instead of ${first[what]}`);
}
