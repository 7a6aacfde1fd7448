import type { ApiServer } from '../api-server.ts';
import type { ApiContext } from '../context.ts';
import { readBatchDetail } from '../read-batch-view.ts';
import { BatchParams } from '../schemas/batch-params.ts';
import { BatchDetail } from '../schemas/batch-view.ts';
import { problemAnswers } from '../schemas/problem-answers.ts';

/**
 * `GET /v1/batches/{batch_id}`. `balance` counts lines whose outcome is final (imported parts), so that it adds up at
 * any moment; `progress.lines_read` counts lines that are transformed, imported or not.
 */
export function addGetBatch(server: ApiServer, context: ApiContext): void {
  server.get(
    '/v1/batches/:batch_id',
    {
      config: { role: 'any' },
      schema: {
        operationId: 'getBatch',
        tags: ['batches'],
        summary: 'Show a batch',
        params: BatchParams,
        response: { 200: BatchDetail, ...problemAnswers(401, 404) },
      },
    },
    async ({ params }) => readBatchDetail(context.pool, params.batch_id),
  );
}
