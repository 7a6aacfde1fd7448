import type { Client } from '@backfill/core/db/pool';
import { listApprovals } from '@backfill/core/db/queries/approval-list';
import type { BatchRow } from '@backfill/core/db/queries/batch-get';
import { insertEscalation, insertEscalationDecision } from '@backfill/core/db/queries/escalation-insert';
import { listEscalations } from '@backfill/core/db/queries/escalation-list';
import { APPROVER_ROLES, standingApprovals } from '@backfill/core/domain/approvals';
import { conflictOf, judgeDecision } from '@backfill/core/domain/escalation';
import { z } from 'zod';
import type { ApiServer, Caller } from '../api-server.ts';
import { changeBatch } from '../change-batch.ts';
import type { ApiContext } from '../context.ts';
import { Problem } from '../problem.ts';
import { readBatchDetail } from '../read-batch-view.ts';
import { BatchParams } from '../schemas/batch-params.ts';
import { BatchDetail } from '../schemas/batch-view.ts';
import { problemAnswers } from '../schemas/problem-answers.ts';
import { plainText } from '../schemas/text.ts';

const MAY_ESCALATE: readonly string[] = [...APPROVER_ROLES, 'operator'];

const Body = z.strictObject({ why: plainText(500) });
const DecisionBody = z.strictObject({
  role: z.enum(APPROVER_ROLES),
  decision: plainText(500),
  why: plainText(500),
});
const DecisionParams = BatchParams.extend({ escalation_no: z.coerce.number().int().min(1).max(1_000_000) });

const REFUSALS = { 'not-allowed': 'forbidden', conflict: 'conflict' } as const;

async function hasRejection(client: Client, { batch_id, plan_hash, gate_set_hash }: BatchRow): Promise<boolean> {
  const approvals = await listApprovals(client, [batch_id]);
  const standing = [
    ...standingApprovals(approvals, 'run', plan_hash).values(),
    ...standingApprovals(approvals, 'publish', gate_set_hash).values(),
  ];
  return standing.some(({ decision }) => decision === 'reject');
}

async function escalate(client: Client, batch: BatchRow, caller: Caller, why: string): Promise<boolean> {
  const about = conflictOf(batch.status, await hasRejection(client, batch));
  if (about === undefined) {
    throw new Problem(
      'conflict',
      `The batch is ${batch.status}, and nobody has said no: there is nothing to escalate.`,
    );
  }
  const open = (await listEscalations(client, batch.batch_id)).filter(({ decision }) => decision === null);
  if (open.some((given) => given.raised_by === caller.actor && given.why === why)) return false;
  await insertEscalation(client, { batchId: batch.batch_id, about, actor: caller.actor, why });
  return true;
}

function addRaise(server: ApiServer, context: ApiContext): void {
  server.post(
    '/v1/batches/:batch_id/escalations',
    {
      config: { role: 'any' },
      schema: {
        operationId: 'escalateBatch',
        tags: ['decisions'],
        summary: 'Escalate a conflict about a batch',
        params: BatchParams,
        body: Body,
        response: { 200: BatchDetail, 201: BatchDetail, ...problemAnswers(401, 403, 404, 409, 422) },
      },
    },
    async ({ params, body, caller }, reply) => {
      if (!caller.roles.some((role) => MAY_ESCALATE.includes(role))) {
        throw new Problem('forbidden', `This needs a token with one of the roles ${MAY_ESCALATE.join(', ')}.`);
      }
      const isNew = await changeBatch(context, caller, params.batch_id, (client, batch) =>
        escalate(client, batch, caller, body.why),
      );
      if (isNew) context.logger.info({ batch: params.batch_id }, 'conflict escalated');
      reply.code(isNew ? 201 : 200);
      return readBatchDetail(context.pool, params.batch_id);
    },
  );
}

function addDecide(server: ApiServer, context: ApiContext): void {
  server.post(
    '/v1/batches/:batch_id/escalations/:escalation_no/decision',
    {
      config: { role: 'any' },
      schema: {
        operationId: 'decideEscalation',
        tags: ['decisions'],
        summary: 'Record the decision about an escalation',
        params: DecisionParams,
        body: DecisionBody,
        response: { 200: BatchDetail, 201: BatchDetail, ...problemAnswers(401, 403, 404, 409, 422) },
      },
    },
    async ({ params, body, caller }, reply) => {
      const { batch_id: batchId, escalation_no: escalationNo } = params;
      if (!caller.roles.includes(body.role)) {
        throw new Problem('forbidden', `The token does not hold the role ${body.role}.`);
      }
      const { approvals } = (await context.loadConfig()).policy;
      const isNew = await changeBatch(context, caller, batchId, async (client) => {
        const all = await listEscalations(client, batchId);
        const escalation = all.find(({ escalation_no }) => escalation_no === escalationNo);
        if (escalation === undefined) throw new Problem('not-found', 'The batch has no escalation of this number.');
        const verdict = judgeDecision({ escalation, ...caller, ...body, deciders: approvals.escalation });
        if (verdict.outcome === 'refuse') throw new Problem(REFUSALS[verdict.because], verdict.detail);
        if (verdict.outcome === 'repeat') return false;
        await insertEscalationDecision(client, { batchId, escalationNo, actor: caller.actor, ...body });
        return true;
      });
      if (isNew)
        context.logger.info({ batch: batchId, escalation: escalationNo, role: body.role }, 'escalation decided');
      reply.code(isNew ? 201 : 200);
      return readBatchDetail(context.pool, batchId);
    },
  );
}

/**
 * `POST /v1/batches/{batch_id}/escalations` brings a rejection, a failed gate or a stop before those who decide, and
 * `…/escalations/{n}/decision` records what they decided. Neither changes a gate, a signature or the batch.
 */
export function addEscalateBatch(server: ApiServer, context: ApiContext): void {
  addRaise(server, context);
  addDecide(server, context);
}
