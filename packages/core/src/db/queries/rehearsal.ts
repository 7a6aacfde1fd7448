import type { Queryable } from '../pool.ts';

/** What the current plan of a batch asks for, and what there is of it. */
export interface RehearsalState {
  recipe_hash: string;
  required: boolean;
  recorded: {
    report_sha256: string;
    report_path: string;
    rehearsed_batch_id: string;
    rehearsed_gate_set_hash: string;
    recorded_by: string;
    recorded_at: string;
  } | null;
}

/** The rehearsal of a batch under its current plan's recipe, the latest if there are several; undefined without a plan. */
export async function getRehearsalState(db: Queryable, batchId: string): Promise<RehearsalState | undefined> {
  const { rows } = await db.query<RehearsalState>(
    `select p.recipe_hash, coalesce((p.plan #> '{policy,approvals,rehearsal}')::boolean, false) as required,
            (select jsonb_build_object(
                      'report_sha256', r.report_sha256, 'report_path', r.report_path,
                      'rehearsed_batch_id', r.rehearsed_batch_id, 'rehearsed_gate_set_hash', r.rehearsed_gate_set_hash,
                      'recorded_by', r.recorded_by,
                      'recorded_at', to_char(r.recorded_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
               from analytics.backfill_rehearsals r
              where r.batch_id = p.batch_id and r.recipe_hash = p.recipe_hash
              order by r.rehearsal_id desc limit 1) as recorded
       from analytics.backfill_plans p join analytics.backfill_batches b using (batch_id, attempt, plan_hash)
      where p.batch_id = $1`,
    [batchId],
  );
  return rows[0];
}

/**
 * Stores that a rehearsal went well.
 *
 * @returns false when this report was on record
 */
export async function insertRehearsal(
  db: Queryable,
  rehearsal: {
    batchId: string;
    recipeHash: string;
    reportSha256: string;
    reportPath: string;
    rehearsedBatchId: string;
    rehearsedGateSetHash: string;
    actor: string;
  },
): Promise<boolean> {
  const { rowCount } = await db.query(
    `insert into analytics.backfill_rehearsals
       (batch_id, attempt, recipe_hash, report_sha256, report_path, rehearsed_batch_id, rehearsed_gate_set_hash, recorded_by)
     select batch_id, attempt, $2, $3, $4, $5, $6, $7 from analytics.backfill_batches where batch_id = $1
     on conflict do nothing`,
    [
      rehearsal.batchId,
      rehearsal.recipeHash,
      rehearsal.reportSha256,
      rehearsal.reportPath,
      rehearsal.rehearsedBatchId,
      rehearsal.rehearsedGateSetHash,
      rehearsal.actor,
    ],
  );
  return rowCount === 1;
}
