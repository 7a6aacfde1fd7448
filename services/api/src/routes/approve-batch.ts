import type { Client } from '@backfill/core/db/pool';
import { insertApproval } from '@backfill/core/db/queries/approval-insert';
import { listApprovals } from '@backfill/core/db/queries/approval-list';
import { listRequiredRoles } from '@backfill/core/db/queries/approval-policy-list';
import type { BatchRow } from '@backfill/core/db/queries/batch-get';
import { APPROVER_ROLES, type ApprovalStage, decideApproval } from '@backfill/core/domain/approvals';
import type { BatchStatus } from '@backfill/core/domain/batch-status';
import { z } from 'zod';
import type { ApiServer, Caller } from '../api-server.ts';
import { changeBatch, moveBatch } from '../change-batch.ts';
import type { ApiContext } from '../context.ts';
import { type FieldError, invalidRequest, Problem } from '../problem.ts';
import { readBatchDetail } from '../read-batch-view.ts';
import { requireSeen } from '../require-seen.ts';
import { BatchParams } from '../schemas/batch-params.ts';
import { BatchDetail } from '../schemas/batch-view.ts';
import { problemAnswers } from '../schemas/problem-answers.ts';
import { plainText } from '../schemas/text.ts';
import { startRunWhenReady } from '../start-run.ts';

const Body = z.strictObject({
  stage: z
    .enum(['run', 'publish', 'override'])
    .refine((stage) => stage !== 'override', 'override is not supported yet'),
  role: z.enum(APPROVER_ROLES),
  decision: z.enum(['approve', 'reject']),
  gate: plainText(100)
    .refine(() => false, 'is only for overrides, which are not supported yet')
    .optional(),
  comment: plainText(500).optional(),
  plan_hash: plainText(64).optional().describe('What was looked at, for the stage run: refused when it has changed'),
  gate_set_hash: plainText(64).optional().describe('The same for the stage publish'),
});
type Body = z.infer<typeof Body>;

const AWAITING: Readonly<Record<ApprovalStage, BatchStatus>> = {
  run: 'awaiting_run_approval',
  publish: 'awaiting_publish_approval',
};

const REFUSALS = {
  'not-allowed': (detail: string) => new Problem('forbidden', detail),
  'not-required': (detail: string) => invalidRequest([{ path: 'role', message: detail } satisfies FieldError]),
  conflict: (detail: string) => new Problem('conflict', detail),
} as const;

/** Stores what the caller decides about the locked batch, and what follows from it. */
async function decide(client: Client, batch: BatchRow, caller: Caller, body: Body): Promise<string> {
  const stage = body.stage as ApprovalStage;
  const awaiting = AWAITING[stage];
  await requireSeen(client, batch, body);
  const required = await listRequiredRoles(client, [batch.batch_id]);
  const verdict = decideApproval({
    ...body,
    stage,
    ...caller,
    submittedBy: batch.submitted_by,
    awaited: batch.status === awaiting,
    boundHash: stage === 'run' ? batch.plan_hash : batch.gate_set_hash,
    required: required.get(batch.batch_id)?.[stage] ?? [],
    earlier: await listApprovals(client, [batch.batch_id]),
  });
  if (verdict.outcome === 'refuse') throw REFUSALS[verdict.because](verdict.detail);
  if (verdict.outcome === 'repeat') return verdict.outcome;
  await insertApproval(client, {
    batchId: batch.batch_id,
    attempt: batch.attempt,
    stage,
    role: body.role,
    actor: caller.actor,
    decision: body.decision,
    boundHash: verdict.boundHash,
    comment: body.comment,
  });
  if (verdict.outcome === 'reject') {
    await moveBatch(client, batch, { from: [awaiting], to: 'halted', reason: verdict.reason });
  } else if (stage === 'run' && verdict.complete) {
    await startRunWhenReady(client, batch);
  }
  return verdict.outcome;
}

/**
 * `POST /v1/batches/{batch_id}/approvals`: one person's decision, in one role, bound to what lies on the table now. The
 * last run approval starts the work; a rejection halts; publishing waits for a call of its own. Given again: 200 and
 * nothing new.
 */
export function addApproveBatch(server: ApiServer, context: ApiContext): void {
  server.post(
    '/v1/batches/:batch_id/approvals',
    {
      schema: {
        summary: 'Approve or reject, in one role',
        params: BatchParams,
        body: Body,
        response: { 200: BatchDetail, 201: BatchDetail, ...problemAnswers(401, 403, 404, 409, 422) },
      },
    },
    async ({ params, body, caller }, reply) => {
      const outcome = await changeBatch(context, caller, params.batch_id, (client, batch) =>
        decide(client, batch, caller, body),
      );
      const { batch_id } = params;
      const { stage, role } = body;
      context.logger.info({ batch_id, stage, role, outcome }, 'approval decided');
      reply.code(outcome === 'repeat' ? 200 : 201);
      return readBatchDetail(context.pool, batch_id);
    },
  );
}
