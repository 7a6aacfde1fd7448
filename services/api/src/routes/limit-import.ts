import { setImportLimit } from '@backfill/core/db/queries/batch-set-canary';
import { BEFORE_IMPORT } from '@backfill/core/domain/import-limit';
import { z } from 'zod';
import type { ApiServer } from '../api-server.ts';
import { changeBatch } from '../change-batch.ts';
import type { ApiContext } from '../context.ts';
import { Problem } from '../problem.ts';
import { readBatchDetail } from '../read-batch-view.ts';
import { BatchParams } from '../schemas/batch-params.ts';
import { BatchDetail } from '../schemas/batch-view.ts';
import { problemAnswers } from '../schemas/problem-answers.ts';

const MOST_EVENTS = 1_000_000_000;

const Body = z.strictObject({
  events: z.int().min(1).max(MOST_EVENTS).nullable().describe('null takes the limit away'),
});

/**
 * `POST /v1/batches/{batch_id}/import-limit`: the first events, so many, are imported as the batch's canary, and the batch
 * halts then for a person; its resume imports the rest. Only before anything is imported.
 */
export function addLimitImport(server: ApiServer, context: ApiContext): void {
  server.post(
    '/v1/batches/:batch_id/import-limit',
    {
      config: { role: 'operator' },
      schema: {
        operationId: 'limitImport',
        tags: ['batches'],
        summary: 'Import only the first events, then halt',
        params: BatchParams,
        body: Body,
        response: { 200: BatchDetail, ...problemAnswers(401, 403, 404, 409, 422) },
      },
    },
    async ({ params, body, caller }) => {
      const isNew = await changeBatch(context, caller, params.batch_id, async (client, batch) => {
        if (batch.import_limit === body.events) return false;
        if (!BEFORE_IMPORT.includes(batch.resume_status ?? batch.status)) {
          throw new Problem(
            'conflict',
            `The batch is ${batch.status} and its import has begun: a limit can be set before that. Halt it instead, or roll it back and resume it to start anew.`,
          );
        }
        await setImportLimit(client, batch.batch_id, body.events);
        return true;
      });
      if (isNew) context.logger.info({ batch: params.batch_id, events: body.events }, 'import limited');
      return readBatchDetail(context.pool, params.batch_id);
    },
  );
}
