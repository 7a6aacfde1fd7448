import type { Queryable } from '../pool.ts';

export interface IncidentRow {
  kind: string;
  summary: string;
  raised_at: Date;
  post_mortem_due: Date;
  closed_at: Date | null;
}

/** The incidents of a batch, in the order they were raised. */
export async function listIncidents(db: Queryable, batchId: string): Promise<IncidentRow[]> {
  const { rows } = await db.query<IncidentRow>(
    `select kind, summary, raised_at, post_mortem_due, closed_at
       from analytics.backfill_incidents where batch_id = $1 order by incident_id`,
    [batchId],
  );
  return rows;
}

/** True while readers must not trust the batch's window. */
export async function isWindowFrozen(db: Queryable, batchId: string): Promise<boolean> {
  const { rowCount } = await db.query(
    'select 1 from analytics.backfill_freezes where batch_id = $1 and lifted_at is null limit 1',
    [batchId],
  );
  return rowCount !== 0;
}

/** The recipe hash of the batch's plan in force; null where there is none. */
export async function getRecipeHash(db: Queryable, batchId: string): Promise<string | null> {
  const { rows } = await db.query<{ recipe_hash: string }>(
    `select p.recipe_hash from analytics.backfill_batches b
       join analytics.backfill_plans p using (batch_id, attempt, plan_hash) where b.batch_id = $1`,
    [batchId],
  );
  return rows[0]?.recipe_hash ?? null;
}
