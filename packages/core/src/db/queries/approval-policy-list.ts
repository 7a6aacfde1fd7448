import type { RequiredRoles } from '../../domain/approvals.ts';
import type { Queryable } from '../pool.ts';

/** Whose approvals the current plan of each batch asks for. Batches without a plan are left out. */
export async function listRequiredRoles(
  db: Queryable,
  batchIds: readonly string[],
): Promise<ReadonlyMap<string, RequiredRoles>> {
  const { rows } = await db.query<{ batch_id: string; approvals: RequiredRoles | null }>(
    `select p.batch_id, p.plan #> '{policy,approvals}' as approvals
       from analytics.backfill_plans p join analytics.backfill_batches b using (batch_id, attempt, plan_hash)
      where p.batch_id = any ($1)`,
    [batchIds],
  );
  return new Map(
    rows.map(({ batch_id, approvals }) => {
      // No list is not an empty list: it must never read as "nobody has to approve".
      if (approvals === null) throw new Error(`the plan of batch ${batch_id} names no approval policy`);
      return [batch_id, approvals];
    }),
  );
}
