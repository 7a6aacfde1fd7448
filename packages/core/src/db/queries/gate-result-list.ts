import type { Queryable } from '../pool.ts';

export interface GateResultRow {
  batch_id: string;
  gate: string;
  threshold: number;
  observed: number | null;
  passed: boolean;
  procedure: string;
  detail: Record<string, unknown>;
  measured_at: Date;
}

/** The gate results in force of these batches: the last verification of the current attempt. */
export async function listGateResults(db: Queryable, batchIds: readonly string[]): Promise<GateResultRow[]> {
  const { rows } = await db.query<GateResultRow>(
    `select g.batch_id, g.gate, g.threshold, g.observed, g.passed, g.procedure, g.detail, g.measured_at
       from analytics.backfill_gate_results g join analytics.backfill_batches b using (batch_id, attempt)
      where g.batch_id = any ($1)
        and g.run_no = (select max(last.run_no) from analytics.backfill_gate_results last
                         where last.batch_id = g.batch_id and last.attempt = g.attempt)
      order by g.batch_id, g.gate`,
    [batchIds],
  );
  return rows;
}

/** True when a gate of the last verification of the batch's current attempt has not passed. */
export async function hasFailedGates(db: Queryable, batchId: string): Promise<boolean> {
  return (await listGateResults(db, [batchId])).some(({ passed }) => !passed);
}
