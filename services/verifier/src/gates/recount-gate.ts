import { listMirrorObjects } from '@backfill/core/db/queries/mirror-object-list';
import type { GateResult } from '@backfill/core/domain/gate-result';
import type { RecountContext } from '../recount/recount-context.ts';
import { type FileRecount, recountFile } from '../recount/recount-file.ts';
import type { FileCounts } from './balance-gate.ts';
import type { MultisetHash } from './multiset-hash.ts';

const MAX_EXAMPLES = 20;

/**
 * Holds the whole mirror against the ledger, file by file.
 *
 * @param booked takes the events of the ledger's accepted lines, each with its part
 */
export async function recountMirror(
  context: RecountContext,
  booked: MultisetHash,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, FileRecount>> {
  const found = new Map<string, FileRecount>();
  for (const file of await context.read((db) => listMirrorObjects(db, context.batchId))) {
    found.set(file.source_file, await recountFile(context, file, booked, signal));
  }
  return found;
}

/** Outcomes that leave no row: only their number can be held against the ledger. */
const WITHOUT_ROWS = ['expired', 'filtered'] as const;

/** Where the ledger's numbers of a file are not those of the second reading. Pure. */
export function outcomeDiscrepancies(counts: FileCounts, { outcomes }: Pick<FileRecount, 'outcomes'>): string[] {
  return WITHOUT_ROWS.filter((outcome) => counts[outcome] !== outcomes[outcome]).map(
    (outcome) => `${outcomes[outcome]} lines are ${outcome}, and ${counts[outcome]} in the ledger`,
  );
}

/**
 * The independent recount: each line of the mirror is read a second time, with code of the verifier's own, and must be
 * what the ledger says: accepted under this very id, quarantined, or neither; and what is accepted must be what is staged,
 * in the books of the part that the line belongs to.
 *
 * @param isStaged whether the staged rows have the ids and parts of the ledger's accepted lines, each as often
 */
export function recountGate(
  files: readonly FileCounts[],
  mirror: ReadonlyMap<string, FileRecount>,
  isStaged: boolean,
): GateResult {
  const discrepancies: string[] = [];
  const total = { accepted: 0, quarantined: 0, suppressed: 0, expired: 0, filtered: 0 };
  let observed = 0;
  for (const counts of files) {
    const file = mirror.get(counts.source_file);
    if (file === undefined) continue;
    const numbers = outcomeDiscrepancies(counts, file);
    observed += file.disagreements + numbers.length;
    discrepancies.push(...[...file.examples, ...numbers].map((what) => `${counts.source_file}: ${what}`));
    for (const outcome of Object.keys(total) as (keyof typeof total)[]) total[outcome] += file.outcomes[outcome];
  }
  if (!isStaged) {
    observed += 1;
    discrepancies.push('the staged rows are not the events of the accepted lines, each in the part of its line');
  }
  return {
    gate: 'recount',
    threshold: 0,
    observed,
    passed: observed === 0,
    procedure:
      'each line of each mirrored file through a second reading of the recipe, against\n' +
      'analytics.backfill_event_checkpoint_raw, analytics.backfill_quarantine and analytics.backfill_import_parts; the ids and parts of the accepted lines against\n' +
      'those of analytics.events_backfill_staging',
    detail: { files: mirror.size, ...total, discrepancies: discrepancies.slice(0, MAX_EXAMPLES) },
  };
}
