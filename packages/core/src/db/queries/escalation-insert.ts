import type { Queryable } from '../pool.ts';

/** Stores an escalation under the next number of its batch. The caller holds the batch. */
export async function insertEscalation(
  db: Queryable,
  escalation: { batchId: string; about: string; actor: string; why: string },
): Promise<number> {
  const { rows } = await db.query<{ escalation_no: number }>(
    `insert into analytics.backfill_escalations (batch_id, escalation_no, attempt, about, status_reason, raised_by, why)
     select b.batch_id,
            1 + coalesce((select max(escalation_no) from analytics.backfill_escalations where batch_id = $1), 0),
            b.attempt, $2, b.status_reason, $3, $4
       from analytics.backfill_batches b where b.batch_id = $1
     returning escalation_no`,
    [escalation.batchId, escalation.about, escalation.actor, escalation.why],
  );
  return rows[0]?.escalation_no ?? 0;
}

/** Stores the decision about an escalation, of which there is one. */
export async function insertEscalationDecision(
  db: Queryable,
  decided: { batchId: string; escalationNo: number; role: string; actor: string; decision: string; why: string },
): Promise<void> {
  await db.query(
    `insert into analytics.backfill_escalation_decisions (batch_id, escalation_no, role, decided_by, decision, why)
     values ($1, $2, $3, $4, $5, $6)`,
    [decided.batchId, decided.escalationNo, decided.role, decided.actor, decided.decision, decided.why],
  );
}
