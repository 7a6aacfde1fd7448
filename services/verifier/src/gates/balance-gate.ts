import type { BatchReader } from '@backfill/core/dispatch/read-for-batch';
import { type Balance, unaccountedLines } from '@backfill/core/domain/balance';
import type { GateResult } from '@backfill/core/domain/gate-result';
import type { FileRecount } from '../recount/recount-file.ts';

/** Per file: what the ledger says, and what the tables hold. */
const FILE_COUNTS_SQL = `
  select f.source_file,
         coalesce(p.read, 0) as read, coalesce(p.inserted, 0) as inserted, coalesce(p.duplicate, 0) as duplicate,
         coalesce(p.suppressed, 0) as suppressed, coalesce(p.expired, 0) as expired,
         coalesce(p.filtered, 0) as filtered, coalesce(p.quarantined, 0) as quarantined,
         (select count(*) from analytics.backfill_event_checkpoint_raw r
           where r.batch_id = f.batch_id and r.source_file = f.source_file) as accepted_rows,
         (select count(*) from analytics.backfill_lineage l
           where l.batch_id = f.batch_id and l.source_file = f.source_file) as lineage_rows,
         (select count(*) from analytics.backfill_quarantine q
           where q.batch_id = f.batch_id and q.source_file = f.source_file) as quarantine_rows
    from analytics.backfill_files f
    left join (
      select file_no, sum(line_count) as read, sum(inserted) as inserted,
             sum(duplicate_same_batch + duplicate_other_batch + duplicate_live) as duplicate,
             sum(suppressed) as suppressed, sum(expired) as expired, sum(filtered) as filtered,
             sum(quarantined) as quarantined
        from analytics.backfill_import_parts where batch_id = $1 and state = 'imported' group by file_no
    ) p using (file_no)
   where f.batch_id = $1
   order by f.file_no`;

/** Accepted lines and lineage that do not say the same of a line. */
const LINEAGE_SQL = `
  select count(*) as wrong
    from (select * from analytics.backfill_event_checkpoint_raw where batch_id = $1) r
    full join (select * from analytics.backfill_lineage where batch_id = $1) l
      on l.source_file = r.source_file and l.line_no = r.line_no
   where l.event_id is distinct from r.event_id`;

const STAGING_COUNTS_SQL = `
  select count(*) as staged, count(*) filter (where not is_duplicate) as new,
         count(*) filter (where duplicate_kind = 'same_batch') as same_batch,
         count(*) filter (where duplicate_kind = 'other_batch') as other_batch,
         count(*) filter (where duplicate_kind = 'live') as live
    from analytics.events_backfill_staging where batch_id = $1`;

const BOOKED_COUNTS_SQL = `
  select coalesce(sum(duplicate_same_batch), 0) as same_batch, coalesce(sum(duplicate_other_batch), 0) as other_batch,
         coalesce(sum(duplicate_live), 0) as live
    from analytics.backfill_import_parts where batch_id = $1 and state = 'imported'`;

const DUPLICATE_KINDS = ['same_batch', 'other_batch', 'live'] as const;
type DuplicateCounts = Record<(typeof DUPLICATE_KINDS)[number], number>;
const NO_DUPLICATES: DuplicateCounts = { same_batch: 0, other_batch: 0, live: 0 };

export interface FileCounts extends Balance {
  source_file: string;
  accepted_rows: number;
  lineage_rows: number;
  quarantine_rows: number;
}

/** Every way in which one file's books can disagree. Pure. */
export function fileDiscrepancies(counts: FileCounts, mirror: { lines: number; intact: boolean }): string[] {
  const found: string[] = [];
  const expect = (what: string, expected: number, actual: number) => {
    if (expected !== actual) found.push(`${counts.source_file}: ${what}: ${expected} expected, ${actual} found`);
  };
  if (!mirror.intact) found.push(`${counts.source_file}: the mirror's sha256 is not the planned one`);
  expect('lines read, against lines in the mirror', mirror.lines, counts.read);
  expect('lines without an outcome', 0, unaccountedLines(counts));
  const accepted = counts.inserted + counts.duplicate;
  expect('accepted lines', accepted, counts.accepted_rows);
  expect('lineage rows', accepted, counts.lineage_rows);
  expect('quarantine rows', counts.quarantined, counts.quarantine_rows);
  return found;
}

/** What the ledger and the tables say of each file, in the order of the plan. */
export async function listFileCounts(read: BatchReader, batchId: string): Promise<FileCounts[]> {
  const { rows } = await read((client) => client.query<FileCounts>(FILE_COUNTS_SQL, [batchId]));
  return rows;
}

/**
 * Invariant 1: every line of the mirror ended in exactly one outcome, per file, and the tables hold what was counted.
 *
 * @param mirror its files as they were found, by name
 */
export async function measureBalance(
  read: BatchReader,
  batchId: string,
  files: readonly FileCounts[],
  mirror: ReadonlyMap<string, Pick<FileRecount, 'lines' | 'isIntact'>>,
): Promise<GateResult> {
  const discrepancies: string[] = [];
  const total = { read: 0, accepted: 0, inserted: 0 };
  for (const counts of files) {
    const file = mirror.get(counts.source_file);
    if (file === undefined) continue;
    discrepancies.push(...fileDiscrepancies(counts, { lines: file.lines, intact: file.isIntact }));
    total.read += counts.read;
    total.accepted += counts.inserted + counts.duplicate;
    total.inserted += counts.inserted;
  }
  const counted = await read((client) =>
    client.query<DuplicateCounts & { staged: number; new: number }>(STAGING_COUNTS_SQL, [batchId]),
  );
  const staging = counted.rows[0] ?? { staged: 0, new: 0, ...NO_DUPLICATES };
  const booked = await read((client) => client.query<DuplicateCounts>(BOOKED_COUNTS_SQL, [batchId]));
  for (const kind of DUPLICATE_KINDS) {
    const expected = (booked.rows[0] ?? NO_DUPLICATES)[kind];
    if (staging[kind] !== expected)
      discrepancies.push(`${kind} duplicates: ${expected} expected, ${staging[kind]} found`);
  }
  const traced = await read((client) => client.query<{ wrong: number }>(LINEAGE_SQL, [batchId]));
  const wrong = traced.rows[0]?.wrong ?? 0;
  if (wrong > 0) discrepancies.push(`lineage: ${wrong} lines have another event than was accepted`);
  if (staging.staged !== total.accepted) {
    discrepancies.push(`staged rows: ${total.accepted} expected, ${staging.staged} found`);
  }
  if (staging.new !== total.inserted) {
    discrepancies.push(`new rows: ${total.inserted} expected, ${staging.new} found`);
  }
  return {
    gate: 'balance',
    threshold: 0,
    observed: discrepancies.length,
    passed: discrepancies.length === 0,
    procedure: `lines of each mirrored file, read anew, against:\n${FILE_COUNTS_SQL.trim()};\n${LINEAGE_SQL.trim()};\n${STAGING_COUNTS_SQL.trim()};\n${BOOKED_COUNTS_SQL.trim()}`,
    detail: { files: files.length, ...total, staged: staging.staged, discrepancies: discrepancies.slice(0, 20) },
  };
}
