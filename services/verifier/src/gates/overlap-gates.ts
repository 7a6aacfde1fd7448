import type { BatchReader } from '@backfill/core/dispatch/read-for-batch';
import { duplicateRatio } from '@backfill/core/domain/duplicate-ratio';
import type { GateResult } from '@backfill/core/domain/gate-result';
import type { Plan, PlannedThresholds } from '@backfill/core/plan/plan';
import { countsOccurrences } from '@backfill/core/recipe/recipe';
import { countStaged, overlapOf, STAGED_COUNTS_SQL, type StagedCounts } from './staged-counts.ts';

/** A file of the batch whose events another batch has from a file that was cut differently. */
export interface RecutFile {
  source_file: string;
  /** The other batch. */
  winner: string;
  /** Accepted lines of the file. */
  accepted: number;
  /** Those whose event the other batch has from files with another text. */
  recut: number;
}

/**
 * Finds the file of a batch ($1) with the largest share of events that another batch has from files with another text.
 * Numbers of occurrences hold within a file: in one that was cut anew they count something else, and what repeats is
 * lost or doubled. What the batch replaces is no measure for it.
 */
const RECUT_SQL = `
  with pairs as (
    select mine.source_file, mine.line_no, l.winner_batch_id as winner,
           bool_or(tf.content_sha256 = f.content_sha256) as is_same
      from analytics.backfill_losers l
      join analytics.backfill_batches b on b.batch_id = l.loser_batch_id
      join analytics.backfill_batches w
        on w.batch_id = l.winner_batch_id and w.status <> 'rolled_back' and w.replaced_by is null
       and w.batch_id is distinct from b.replaces_batch_id
      join analytics.backfill_event_checkpoint_raw mine
        on mine.batch_id = l.loser_batch_id and mine.event_id = l.event_id
      join analytics.backfill_files f on f.batch_id = mine.batch_id and f.source_file = mine.source_file
      join analytics.backfill_event_checkpoint_raw theirs
        on theirs.batch_id = l.winner_batch_id and theirs.event_id = l.event_id
      join analytics.backfill_files tf on tf.batch_id = theirs.batch_id and tf.source_file = theirs.source_file
     where l.loser_batch_id = $1
     group by 1, 2, 3
  ), recut as (
    select source_file, winner, count(*) as recut from pairs where not is_same group by 1, 2
  ), accepted as (
    select source_file, count(*) as accepted
      from analytics.backfill_event_checkpoint_raw where batch_id = $1 group by 1
  )
  select r.source_file, r.winner, a.accepted, r.recut
    from recut r join accepted a using (source_file)
   order by r.recut::float8 / a.accepted desc, r.source_file
   limit 1`;

type OverlapThresholds = Pick<PlannedThresholds, 'duplicate_ratio' | 'max_overlap' | 'max_recut'>;

const share = (part: number, whole: number) => (whole === 0 ? 0 : part / whole);

/**
 * The two gates about events that were delivered more than once: repeats inside the batch are duplicates; what
 * another batch or live ingestion has is overlap, normal at the edges of an outage and bounded.
 *
 * @param recut as {@link RECUT_SQL} finds it: bounded by the policy (`max_recut`), whatever the submission says
 */
export function overlapGates(counts: StagedCounts, thresholds: OverlapThresholds, recut?: RecutFile): GateResult[] {
  const overlap = overlapOf(counts);
  const repeated = duplicateRatio({ ...counts, overlap }, thresholds.max_overlap);
  const overlapShare = share(overlap, counts.staged);
  const procedure = STAGED_COUNTS_SQL.trim();
  return [
    {
      gate: 'duplicates',
      threshold: thresholds.duplicate_ratio,
      observed: repeated,
      passed: repeated <= thresholds.duplicate_ratio,
      procedure,
      detail: { ...counts },
    },
    recut !== undefined && share(recut.recut, recut.accepted) > thresholds.max_recut
      ? recutGate(counts, thresholds, recut)
      : {
          gate: 'overlap',
          threshold: thresholds.max_overlap,
          observed: overlapShare,
          passed: overlapShare <= thresholds.max_overlap,
          procedure,
          detail: { ...counts },
        },
  ];
}

function recutGate(counts: StagedCounts, { max_recut }: OverlapThresholds, recut: RecutFile): GateResult {
  return {
    gate: 'overlap',
    threshold: max_recut,
    observed: share(recut.recut, recut.accepted),
    passed: false,
    procedure: RECUT_SQL.trim(),
    detail: {
      ...{ ...counts, ...recut },
      why:
        `${recut.winner} has these events of ${recut.source_file} from files that were cut differently. Deliver the ` +
        `files as they were then, or roll ${recut.winner} back first`,
    },
  };
}

/** The thresholds of both gates, by gate. */
export function overlapThresholds({ duplicate_ratio, max_overlap }: OverlapThresholds) {
  return { duplicates: duplicate_ratio, overlap: max_overlap };
}

/** Counts a batch's staged rows, and looks for files that were cut anew where numbers of occurrences count. */
export async function measureOverlap(read: BatchReader, { batchId, recipe, policy }: Plan): Promise<GateResult[]> {
  const counts = await read((client) => countStaged(client, batchId));
  const recut = countsOccurrences(recipe)
    ? await read((client) => client.query<RecutFile>(RECUT_SQL, [batchId]))
    : undefined;
  return overlapGates(counts, policy.gates, recut?.rows[0]);
}
