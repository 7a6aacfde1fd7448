import { resumeBatch } from '@backfill/core/dispatch/resume-batch';
import type { ApiServer } from '../api-server.ts';
import { changeBatch } from '../change-batch.ts';
import type { ApiContext } from '../context.ts';
import { Problem } from '../problem.ts';
import { readBatchDetail } from '../read-batch-view.ts';
import { BatchParams } from '../schemas/batch-params.ts';
import { BatchDetail } from '../schemas/batch-view.ts';
import { EmptyBody } from '../schemas/empty-body.ts';
import { problemAnswers } from '../schemas/problem-answers.ts';

/**
 * `POST /v1/batches/{batch_id}/resume`: a halted or failed batch goes on where it stopped; a rolled back one starts a
 * new attempt, which plans and wants its run approvals again.
 */
export function addResumeBatch(server: ApiServer, context: ApiContext): void {
  server.post(
    '/v1/batches/:batch_id/resume',
    {
      config: { role: 'operator' },
      schema: {
        summary: 'Let a batch go on',
        params: BatchParams,
        body: EmptyBody,
        response: { 202: BatchDetail, ...problemAnswers(401, 403, 404, 409, 422) },
      },
    },
    async ({ params, caller }, reply) => {
      await changeBatch(context, caller, params.batch_id, async (client, batch) => {
        const to = await resumeBatch(client, params.batch_id);
        if (to !== undefined) return;
        throw new Problem(
          'conflict',
          `The batch is ${batch.status}; this is possible from: halted, failed, rolled_back.`,
        );
      });
      reply.code(202);
      return readBatchDetail(context.pool, params.batch_id);
    },
  );
}
