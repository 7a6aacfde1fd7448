import type { Queryable } from '../pool.ts';

export interface CanaryResult {
  imported: boolean;
  staged: number;
  expected: number;
  same_batch: number;
}

/** What became of the batch's canary part, or undefined when it has none yet. Counted in staging, not from counters. */
export async function getCanary(db: Queryable, batchId: string): Promise<CanaryResult | undefined> {
  const { rows } = await db.query<CanaryResult>(
    `select p.state = 'imported' as imported, p.event_count as expected,
            (select count(*) from analytics.events_backfill_staging s where s.batch_id = $1) as staged,
            (select count(*) from analytics.events_backfill_staging s
              where s.batch_id = $1 and s.duplicate_kind = 'same_batch') as same_batch
       from analytics.backfill_import_parts p
      where p.batch_id = $1 and p.is_canary`,
    [batchId],
  );
  return rows[0];
}
