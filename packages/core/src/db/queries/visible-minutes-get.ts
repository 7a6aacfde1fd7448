import type { Queryable } from '../pool.ts';

/** Minutes from the go until readers must see the batch's rows, as its current plan says; null where it does not say. */
export async function getVisibleMinutes(db: Queryable, batchId: string): Promise<number | null> {
  const { rows } = await db.query<{ minutes: number | null }>(
    `select (p.plan #>> '{policy,gates,visible_minutes}')::double precision as minutes
       from analytics.backfill_plans p join analytics.backfill_batches b using (batch_id, attempt, plan_hash)
      where b.batch_id = $1`,
    [batchId],
  );
  return rows[0]?.minutes ?? null;
}
