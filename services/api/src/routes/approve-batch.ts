import type { Client } from '@backfill/core/db/pool';
import { insertApproval } from '@backfill/core/db/queries/approval-insert';
import { listApprovals } from '@backfill/core/db/queries/approval-list';
import { listRequiredRoles } from '@backfill/core/db/queries/approval-policy-list';
import type { BatchRow } from '@backfill/core/db/queries/batch-get';
import { type GateResultRow, listGateResults } from '@backfill/core/db/queries/gate-result-list';
import { startRunWhenReady } from '@backfill/core/dispatch/start-run';
import {
  APPROVER_ROLES,
  type ApprovalStage,
  decideApproval,
  type RequiredRoles,
} from '@backfill/core/domain/approvals';
import type { BatchStatus } from '@backfill/core/domain/batch-status';
import { KPI_NAMES } from '@backfill/core/domain/kpi';
import { missingOverrides, needsOverride, overrideHash } from '@backfill/core/domain/override';
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

const Body = z
  .strictObject({
    stage: z.enum(['run', 'publish', 'override']),
    role: z.enum(APPROVER_ROLES),
    decision: z.enum(['approve', 'reject']),
    gate: plainText(100).optional(),
    comment: plainText(500).optional(),
    plan_hash: plainText(64).optional().describe('What was looked at, for the stage run: refused when it has changed'),
    gate_set_hash: plainText(64).optional().describe('The same for the stages publish and override'),
  })
  .superRefine(({ stage, gate, comment }, context) => {
    const add = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if (stage !== 'override' && gate !== undefined) add('gate', 'is only for the stage override');
    if (stage === 'override' && gate === undefined) add('gate', 'is needed: the gate to override');
    if (stage === 'override' && comment === undefined) add('comment', 'is needed: why the median may decide');
  });
type Body = z.infer<typeof Body>;

const AWAITING: Readonly<Record<ApprovalStage, BatchStatus>> = {
  run: 'awaiting_run_approval',
  publish: 'awaiting_publish_approval',
  override: 'gates_failed',
};

const REFUSALS = {
  'not-allowed': (detail: string) => new Problem('forbidden', detail),
  'not-required': (detail: string) => invalidRequest([{ path: 'role', message: detail } satisfies FieldError]),
  conflict: (detail: string) => new Problem('conflict', detail),
} as const;

/** What lies on the table: the hash to bind to, and whether somebody has to decide about it now. */
interface Subject {
  boundHash: string | null;
  awaited: boolean;
}

function subjectOf(batch: BatchRow, { stage, gate }: Body, gates: readonly GateResultRow[]): Subject {
  const awaited = batch.status === AWAITING[stage];
  if (stage === 'run') return { boundHash: batch.plan_hash, awaited };
  if (stage === 'publish') return { boundHash: batch.gate_set_hash, awaited };
  if (!KPI_NAMES.some((kpi) => kpi === gate)) {
    throw invalidRequest([{ path: 'gate', message: `can never be overridden; only: ${KPI_NAMES.join(', ')}` }]);
  }
  const result = gates.find((measured) => measured.gate === gate);
  const { plan_hash: planHash, rows_digest: rowsDigest } = batch;
  if (result === undefined || planHash === null || rowsDigest === null) return { boundHash: null, awaited: false };
  return { boundHash: overrideHash({ planHash, rowsDigest }, result), awaited: awaited && needsOverride(result) };
}

/** Stores what the caller decides about the locked batch, and what follows from it. */
async function decide(client: Client, batch: BatchRow, caller: Caller, body: Body): Promise<string> {
  const { stage } = body;
  await requireSeen(client, batch, body);
  const required = (await listRequiredRoles(client, [batch.batch_id])).get(batch.batch_id);
  const gates = await listGateResults(client, [batch.batch_id]);
  const earlier = await listApprovals(client, [batch.batch_id]);
  const verdict = decideApproval({
    ...{ ...body, ...caller, earlier },
    ...subjectOf(batch, body, gates),
    submittedBy: batch.submitted_by,
    required: required?.[stage] ?? [],
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
    gate: body.gate,
    comment: body.comment,
  });
  if (stage === 'override') await verifyOverridden(client, batch, required, gates);
  else if (verdict.outcome === 'reject') {
    await moveBatch(client, batch, { from: [AWAITING[stage]], to: 'halted', reason: verdict.reason });
  } else if (stage === 'run' && verdict.complete) {
    await startRunWhenReady(client, batch);
  }
  return verdict.outcome;
}

/** Has the batch verified again, once every gate that waits for an override has it. A no leaves it where it is. */
async function verifyOverridden(
  client: Client,
  batch: BatchRow,
  required: RequiredRoles | undefined,
  gates: readonly GateResultRow[],
): Promise<void> {
  const approvals = await listApprovals(client, [batch.batch_id]);
  if (missingOverrides(batch, required, gates, approvals).length > 0) return;
  await moveBatch(client, batch, { from: [AWAITING.override], to: 'verifying' });
}

/**
 * `POST /v1/batches/{batch_id}/approvals`: one person's decision, in one role, bound to what lies on the table now. The
 * last run approval starts the work; a rejection halts; publishing waits for a call of its own. The last override has the
 * gates measured again. Given again: 200 and nothing new.
 */
export function addApproveBatch(server: ApiServer, context: ApiContext): void {
  server.post(
    '/v1/batches/:batch_id/approvals',
    {
      config: { role: 'any' },
      schema: {
        operationId: 'approveBatch',
        tags: ['decisions'],
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
      context.logger.info({ batch: batch_id, stage, role, outcome }, 'approval decided');
      reply.code(outcome === 'repeat' ? 200 : 201);
      return readBatchDetail(context.pool, batch_id);
    },
  );
}
