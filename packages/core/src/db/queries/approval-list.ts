import type { ApprovalDecision, RecordedApproval } from '../../domain/approvals.ts';
import type { Queryable } from '../pool.ts';

export interface ApprovalRow extends RecordedApproval {
  batch_id: string;
  decision: ApprovalDecision;
  /** Of an override. */
  gate: string | null;
  comment: string | null;
  approved_at: Date;
}

/** The decisions of these batches' current attempts, in the order they were given. */
export async function listApprovals(db: Queryable, batchIds: readonly string[]): Promise<ApprovalRow[]> {
  const { rows } = await db.query<ApprovalRow>(
    `select a.batch_id, a.stage, a.role, a.actor, a.decision, a.bound_hash as "boundHash", a.gate,
            a.comment, a.approved_at
       from analytics.backfill_approvals a join analytics.backfill_batches b using (batch_id, attempt)
      where a.batch_id = any ($1)
      order by a.approval_id`,
    [batchIds],
  );
  return rows;
}
