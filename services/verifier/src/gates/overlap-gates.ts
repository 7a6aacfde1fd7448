import type { GateResult } from '@backfill/core/domain/gate-result';
import type { PlannedThresholds } from '@backfill/core/plan/plan';

/** Staged rows of a batch by what they are, counted in staging now. */
export interface StagedCounts {
  staged: number;
  same_batch: number;
  other_batch: number;
  live: number;
  /** Staged as new, but delivered live since. */
  newly_live: number;
}

/** Counts the staged rows of a batch ($1) with the window [$2, $3); see {@link StagedCounts}. */
export const STAGED_COUNTS_SQL = `
  select count(*) as staged,
         count(*) filter (where duplicate_kind = 'same_batch') as same_batch,
         count(*) filter (where duplicate_kind = 'other_batch') as other_batch,
         count(*) filter (where duplicate_kind = 'live') as live,
         count(*) filter (where not is_duplicate and exists (
           select 1 from analytics.events_log l
            where l.event_id = s.event_id and l.event_ts = s.event_ts and l.deleted_at is null
              and l.event_ts >= $2 and l.event_ts < $3)) as newly_live
    from analytics.events_backfill_staging s
   where batch_id = $1`;

/**
 * Counts a batch's ($1) lines whose event another batch has from a file with another text. Numbers of occurrences hold
 * within a file: in one that was cut anew they count something else, and what repeats is lost or doubled.
 */
export const RECUT_COUNT_SQL = `
  select count(*) as recut
    from analytics.backfill_losers l
    join analytics.backfill_event_checkpoint_raw mine
      on mine.batch_id = l.loser_batch_id and mine.event_id = l.event_id
    join analytics.backfill_files f on f.batch_id = mine.batch_id and f.source_file = mine.source_file
   where l.loser_batch_id = $1 and l.winner_batch_id is not null
     and not exists (
       select 1 from analytics.backfill_event_checkpoint_raw theirs
         join analytics.backfill_files tf on tf.batch_id = theirs.batch_id and tf.source_file = theirs.source_file
        where theirs.batch_id = l.winner_batch_id and theirs.event_id = l.event_id
          and tf.content_sha256 = f.content_sha256)`;

type OverlapThresholds = Pick<PlannedThresholds, 'duplicate_ratio' | 'max_overlap' | 'max_recut'>;

const share = (part: number, whole: number) => (whole === 0 ? 0 : part / whole);

/**
 * The two gates about events that were delivered more than once: repeats inside the batch are duplicates; what
 * another batch or live ingestion has is overlap, normal at the edges of an outage and bounded.
 *
 * Duplicate ratio = (`same_batch` + overlap beyond `max_overlap`) / staged.
 *
 * @param recut lines as {@link RECUT_COUNT_SQL} counts them: bounded by the policy (`max_recut`), whatever the submission says
 */
export function overlapGates(counts: StagedCounts, thresholds: OverlapThresholds, recut: number): GateResult[] {
  const overlap = counts.other_batch + counts.live + counts.newly_live;
  const excess = Math.max(0, overlap - thresholds.max_overlap * counts.staged);
  const duplicateRatio = share(counts.same_batch + excess, counts.staged);
  const overlapShare = share(overlap, counts.staged);
  const procedure = STAGED_COUNTS_SQL.trim();
  return [
    {
      gate: 'duplicates',
      threshold: thresholds.duplicate_ratio,
      observed: duplicateRatio,
      passed: duplicateRatio <= thresholds.duplicate_ratio,
      procedure,
      detail: { ...counts },
    },
    share(recut, counts.staged) > thresholds.max_recut
      ? recutGate(counts, thresholds, recut)
      : {
          gate: 'overlap',
          threshold: thresholds.max_overlap,
          observed: overlapShare,
          passed: overlapShare <= thresholds.max_overlap,
          procedure,
          detail: { ...counts, recut },
        },
  ];
}

function recutGate(counts: StagedCounts, { max_recut }: OverlapThresholds, recut: number): GateResult {
  return {
    gate: 'overlap',
    threshold: max_recut,
    observed: share(recut, counts.staged),
    passed: false,
    procedure: RECUT_COUNT_SQL.trim(),
    detail: { ...counts, recut, why: 'another batch has these events from files that were cut differently' },
  };
}
