import type { GateNumbers } from '../../domain/gate-changes.ts';
import type { Plan } from '../../plan/plan.ts';
import type { Queryable } from '../pool.ts';

/** A plan that the batch has or had, by its hash. */
export async function getPlanByHash(db: Queryable, batchId: string, planHash: string): Promise<Plan | undefined> {
  const { rows } = await db.query<{ plan: Plan }>(
    `select plan from analytics.backfill_plans where batch_id = $1 and plan_hash = $2 order by attempt desc limit 1`,
    [batchId, planHash],
  );
  return rows[0]?.plan;
}

/** What a gate set of the batch said, by its hash: the audit log keeps every one. */
export async function getGateNumbersByHash(
  db: Queryable,
  batchId: string,
  gateSetHash: string,
): Promise<GateNumbers | undefined> {
  const { rows } = await db.query<{ row_count: number | null; gates: GateNumbers['gates'] | null }>(
    `select (detail ->> 'row_count')::bigint as row_count, detail -> 'gates' as gates from analytics.backfill_audit_log
      where batch_id = $1 and action = 'gates' and detail ->> 'gate_set_hash' = $2 order by audit_id desc limit 1`,
    [batchId, gateSetHash],
  );
  const [row] = rows;
  return row && { rowCount: row.row_count, gates: row.gates ?? {} };
}
