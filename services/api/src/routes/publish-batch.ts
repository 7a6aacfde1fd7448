import type { Client } from '@backfill/core/db/pool';
import { listApprovals } from '@backfill/core/db/queries/approval-list';
import { listRequiredRoles } from '@backfill/core/db/queries/approval-policy-list';
import type { BatchRow } from '@backfill/core/db/queries/batch-get';
import { hasFailedGates } from '@backfill/core/db/queries/gate-result-list';
import { missingRoles } from '@backfill/core/domain/approvals';
import type { ApiServer } from '../api-server.ts';
import { changeBatch, moveBatch } from '../change-batch.ts';
import type { ApiContext } from '../context.ts';
import { Problem } from '../problem.ts';
import { readBatchDetail } from '../read-batch-view.ts';
import { BatchParams } from '../schemas/batch-params.ts';
import { BatchDetail } from '../schemas/batch-view.ts';
import { EmptyBody } from '../schemas/empty-body.ts';
import { problemAnswers } from '../schemas/problem-answers.ts';

/** @throws {Problem} 409 naming the roles that have not approved what was measured. */
async function requireApprovals(client: Client, batch: BatchRow): Promise<void> {
  const required = (await listRequiredRoles(client, [batch.batch_id])).get(batch.batch_id);
  if (required === undefined || batch.gate_set_hash === null) {
    throw new Problem('conflict', 'The batch has no plan or no gate results to publish on.');
  }
  if (await hasFailedGates(client, batch.batch_id)) {
    throw new Problem('conflict', 'Not all gates of the last measurement have passed.');
  }
  const approvals = await listApprovals(client, [batch.batch_id]);
  const missing = missingRoles(required.publish, approvals, 'publish', batch.gate_set_hash);
  if (missing.length === 0) return;
  throw new Problem('conflict', `Publish approvals of these gate results are missing: ${missing.join(', ')}.`);
}

/** `POST /v1/batches/{batch_id}/publish`: the go. A batch that is publishing or published stays as it is. */
export function addPublishBatch(server: ApiServer, context: ApiContext): void {
  server.post(
    '/v1/batches/:batch_id/publish',
    {
      config: { role: 'operator' },
      schema: {
        operationId: 'publishBatch',
        tags: ['batches'],
        summary: 'Publish what was approved',
        params: BatchParams,
        body: EmptyBody,
        response: { 200: BatchDetail, 202: BatchDetail, ...problemAnswers(401, 403, 404, 409, 422) },
      },
    },
    async ({ params, caller }, reply) => {
      const started = await changeBatch(context, caller, params.batch_id, async (client, batch) => {
        if (batch.status === 'publishing' || batch.status === 'published') return false;
        if (batch.status === 'awaiting_publish_approval') await requireApprovals(client, batch);
        await moveBatch(client, batch, { from: ['awaiting_publish_approval'], to: 'publishing' });
        return true;
      });
      reply.code(started ? 202 : 200);
      return readBatchDetail(context.pool, params.batch_id);
    },
  );
}
