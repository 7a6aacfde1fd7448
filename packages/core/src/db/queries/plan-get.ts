import type { Plan } from '../../plan/plan.ts';
import type { Queryable } from '../pool.ts';

/** The plan in force of the batch's current attempt, or undefined. */
export async function getPlan(db: Queryable, batchId: string): Promise<Plan | undefined> {
  const { rows } = await db.query<{ plan: Plan }>(
    `select p.plan from analytics.backfill_batches b
       join analytics.backfill_plans p using (batch_id, attempt, plan_hash)
      where b.batch_id = $1`,
    [batchId],
  );
  return rows[0]?.plan;
}
