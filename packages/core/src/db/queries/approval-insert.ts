import type { ApprovalDecision } from '../../domain/approvals.ts';
import type { Queryable } from '../pool.ts';

export interface NewApproval {
  batchId: string;
  attempt: number;
  stage: string;
  role: string;
  actor: string;
  decision: ApprovalDecision;
  boundHash: string;
  /** Of an override. */
  gate: string | undefined;
  comment: string | undefined;
}

/** Stores a decision. The caller has checked it, under the batch's row lock. */
export async function insertApproval(db: Queryable, approval: NewApproval): Promise<void> {
  await db.query(
    `insert into analytics.backfill_approvals
       (batch_id, attempt, stage, role, actor, decision, bound_hash, gate, comment)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      approval.batchId,
      approval.attempt,
      approval.stage,
      approval.role,
      approval.actor,
      approval.decision,
      approval.boundHash,
      approval.gate ?? null,
      approval.comment ?? null,
    ],
  );
}
