import type { Queryable } from '@backfill/core/db/pool';

/** Staged rows of a batch by what they are, counted in staging now. */
export interface StagedCounts {
  staged: number;
  same_batch: number;
  other_batch: number;
  live: number;
  /** Staged as new, and lost since to live ingestion or to a batch that published first. */
  newly_live: number;
}

/** Counts the staged rows of a batch ($1); see {@link StagedCounts}. */
export const STAGED_COUNTS_SQL = `
  select count(*) as staged,
         count(*) filter (where duplicate_kind = 'same_batch') as same_batch,
         count(*) filter (where duplicate_kind = 'other_batch') as other_batch,
         count(*) filter (where duplicate_kind = 'live') as live,
         (select count(*)
            from analytics.backfill_losers l
            join analytics.events_backfill_staging s on s.batch_id = l.loser_batch_id and s.event_id = l.event_id
           where l.loser_batch_id = $1 and not l.to_publish and not l.withheld and not s.is_duplicate) as newly_live
    from analytics.events_backfill_staging
   where batch_id = $1`;

/** Rows that somebody else has, for whatever reason this is known. */
export function overlapOf({ other_batch, live, newly_live }: StagedCounts): number {
  return other_batch + live + newly_live;
}

/** Counts a batch's staged rows as they stand now. */
export async function countStaged(db: Queryable, batchId: string): Promise<StagedCounts> {
  const { rows } = await db.query<StagedCounts>(STAGED_COUNTS_SQL, [batchId]);
  return rows[0] ?? { staged: 0, same_batch: 0, other_batch: 0, live: 0, newly_live: 0 };
}
