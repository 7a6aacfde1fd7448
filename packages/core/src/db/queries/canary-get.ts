import type { CanaryCounts } from '../../domain/canary.ts';
import type { Queryable } from '../pool.ts';

/** What became of the batch's canary part, or undefined when it has none yet. Counted in the tables, not by counters. */
export async function getCanary(
  db: Queryable,
  batchId: string,
): Promise<(CanaryCounts & { imported: boolean }) | undefined> {
  const { rows } = await db.query<CanaryCounts & { imported: boolean }>(
    `select p.state = 'imported' as imported, p.line_count as lines, p.quarantined, p.event_count as expected,
            (select count(*) from analytics.events_backfill_staging s where s.batch_id = $1) as staged,
            (select count(*) from analytics.events_backfill_staging s
              where s.batch_id = $1 and s.duplicate_kind = 'same_batch') as same_batch,
            (select q.reason from analytics.backfill_quarantine q
              where q.batch_id = $1 group by q.reason order by count(*) desc, q.reason limit 1) as main_reason
       from analytics.backfill_import_parts p
      where p.batch_id = $1 and p.is_canary`,
    [batchId],
  );
  return rows[0];
}
