import { BATCH_STATUSES } from '@backfill/core/domain/batch-status';
import { z } from 'zod';
import type { ApiServer } from '../api-server.ts';
import { changeBatch, moveBatch } from '../change-batch.ts';
import type { ApiContext } from '../context.ts';
import { readBatchDetail } from '../read-batch-view.ts';
import { BatchParams } from '../schemas/batch-params.ts';
import { BatchDetail } from '../schemas/batch-view.ts';
import { problemAnswers } from '../schemas/problem-answers.ts';

const Body = z.strictObject({
  mode: z
    .enum(['tombstone', 'snapshot', 'window'])
    .refine((mode) => mode === 'tombstone', 'is not supported yet, use tombstone'),
});

const CAN_ROLL_BACK = BATCH_STATUSES.filter((status) => status !== 'rolling_back' && status !== 'rolled_back');

/**
 * `POST /v1/batches/{batch_id}/rollback`: takes a batch back, from wherever it is. The proof is the `rollback` of the
 * batch once it is done; a batch that is rolled back answers 200 with it.
 */
export function addRollBackBatch(server: ApiServer, context: ApiContext): void {
  server.post(
    '/v1/batches/:batch_id/rollback',
    {
      config: { role: 'operator' },
      schema: {
        summary: 'Take a batch back',
        params: BatchParams,
        body: Body,
        response: { 200: BatchDetail, 202: BatchDetail, ...problemAnswers(401, 403, 404, 409, 422) },
      },
    },
    async ({ params, body, caller }, reply) => {
      const isDone = await changeBatch(context, caller, params.batch_id, async (client, batch) => {
        if (batch.status === 'rolled_back') return true;
        if (batch.status !== 'rolling_back') {
          const reason = `${body.mode}, asked for by ${caller.actor}`;
          await moveBatch(client, batch, { from: CAN_ROLL_BACK, to: 'rolling_back', reason });
        }
        return false;
      });
      reply.code(isDone ? 200 : 202);
      return readBatchDetail(context.pool, params.batch_id);
    },
  );
}
