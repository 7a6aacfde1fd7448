import type { GateResult } from '@backfill/core/domain/gate-result';

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

const share = (part: number, whole: number) => (whole === 0 ? 0 : part / whole);

/**
 * The two gates about events that were delivered more than once: repeats inside the batch are duplicates; what
 * another batch or live ingestion has is overlap, normal at the edges of an outage and bounded.
 *
 * Duplicate ratio = (`same_batch` + overlap beyond `max_overlap`) / staged.
 */
export function overlapGates(
  counts: StagedCounts,
  thresholds: { duplicate_ratio: number; max_overlap: number },
): GateResult[] {
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
    {
      gate: 'overlap',
      threshold: thresholds.max_overlap,
      observed: overlapShare,
      passed: overlapShare <= thresholds.max_overlap,
      procedure,
      detail: { ...counts },
    },
  ];
}
