import { deleteRecounts } from '@backfill/core/db/queries/recounts';
import type { ApiServer } from '../api-server.ts';
import { changeBatch, moveBatch } from '../change-batch.ts';
import type { ApiContext } from '../context.ts';
import { readBatchDetail } from '../read-batch-view.ts';
import { BatchParams } from '../schemas/batch-params.ts';
import { BatchDetail } from '../schemas/batch-view.ts';
import { EmptyBody } from '../schemas/empty-body.ts';
import { problemAnswers } from '../schemas/problem-answers.ts';

/** `POST /v1/batches/{batch_id}/verify`: all gates once more, and the mirror with them. A verification under way stays as it is. */
export function addVerifyBatch(server: ApiServer, context: ApiContext): void {
  server.post(
    '/v1/batches/:batch_id/verify',
    {
      config: { role: 'operator' },
      schema: {
        operationId: 'verifyBatch',
        tags: ['batches'],
        summary: 'Measure all gates again',
        params: BatchParams,
        body: EmptyBody,
        response: { 202: BatchDetail, ...problemAnswers(401, 403, 404, 409, 422) },
      },
    },
    async ({ params, caller }, reply) => {
      await changeBatch(context, caller, params.batch_id, async (client, batch) => {
        if (batch.status === 'verifying') return;
        await deleteRecounts(client, batch.batch_id);
        await moveBatch(client, batch, {
          from: ['gates_failed', 'awaiting_publish_approval'],
          to: 'verifying',
        });
      });
      reply.code(202);
      return readBatchDetail(context.pool, params.batch_id);
    },
  );
}
