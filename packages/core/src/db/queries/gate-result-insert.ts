import type { GateResult } from '../../domain/gate-result.ts';
import type { Queryable } from '../pool.ts';

/** Stores the results of one verification under the next run number of the batch's attempt. */
export async function insertGateResults(
  db: Queryable,
  batchId: string,
  attempt: number,
  results: readonly GateResult[],
): Promise<void> {
  await db.query(
    `insert into analytics.backfill_gate_results
       (batch_id, attempt, run_no, gate, threshold, observed, passed, procedure, detail)
     select $1, $2,
            1 + coalesce((select max(run_no) from analytics.backfill_gate_results where batch_id = $1 and attempt = $2), 0),
            r.gate, r.threshold, r.observed, r.passed, r.procedure, r.detail
       from jsonb_to_recordset($3::jsonb)
         as r (gate text, threshold float8, observed float8, passed boolean, procedure text, detail jsonb)`,
    [batchId, attempt, JSON.stringify(results)],
  );
}
