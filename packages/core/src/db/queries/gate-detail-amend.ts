import type { Client, Queryable } from '../pool.ts';

/** A stored result of a gate. */
export interface GateDetail {
  attempt: number;
  run_no: number;
  gate: string;
  detail: Record<string, never>;
}

export async function listGateDetails(db: Queryable, batchId: string): Promise<GateDetail[]> {
  const { rows } = await db.query<GateDetail>(
    'select attempt, run_no, gate, detail from analytics.backfill_gate_results where batch_id = $1',
    [batchId],
  );
  return rows;
}

/** Puts a detail of a gate in place of another. Signatures cover it: of a batch that is not published they are void then. */
export async function amendGateDetail(client: Client, batchId: string, gate: GateDetail): Promise<void> {
  await client.query(
    `update analytics.backfill_gate_results set detail = $5
      where batch_id = $1 and attempt = $2 and run_no = $3 and gate = $4`,
    [batchId, gate.attempt, gate.run_no, gate.gate, JSON.stringify(gate.detail)],
  );
}
