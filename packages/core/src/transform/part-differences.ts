import type { LedgerPart } from '../db/queries/part-list.ts';
import type { BuiltPart } from './part-builder.ts';

/** A part that did not come out as it did the first time. */
export interface PartDifference {
  source_file: string;
  first_line: number;
  line_count: number;
  /** What differs: its digest, or the number of lines with an outcome. */
  what: string;
  before: string | number | null;
  after: string | number | null;
}

const COUNTS = ['suppressed', 'expired', 'filtered', 'quarantined'] as const;

/** Every way in which a part made again differs from the ledger's. Pure. */
export function partDifferences(sourceFile: string, ledger: LedgerPart, again: BuiltPart): PartDifference[] {
  const place = { source_file: sourceFile, first_line: ledger.first_line, line_count: ledger.line_count };
  const digest = again.eventCount === 0 ? null : again.sha256;
  const pairs: [string, string | number | null, string | number | null][] = [
    ['sha256', ledger.object_sha256, digest],
    ['event_count', ledger.event_count, again.eventCount],
    ...COUNTS.map((count): [string, number, number] => [count, ledger[count], again[count]]),
  ];
  return pairs
    .filter(([, before, after]) => before !== after)
    .map(([what, before, after]) => ({ ...place, what, before, after }));
}
