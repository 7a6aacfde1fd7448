import { describeAfterHalt } from '@backfill/core/db/queries/halt-refusal';
import { HALTABLE_STATUSES } from '@backfill/core/domain/batch-status';
import { z } from 'zod';
import type { ApiServer } from '../api-server.ts';
import { changeBatch, moveBatch } from '../change-batch.ts';
import type { ApiContext } from '../context.ts';
import { Problem } from '../problem.ts';
import { readBatchDetail } from '../read-batch-view.ts';
import { BatchParams } from '../schemas/batch-params.ts';
import { BatchDetail } from '../schemas/batch-view.ts';
import { problemAnswers } from '../schemas/problem-answers.ts';
import { plainText } from '../schemas/text.ts';

const Body = z.strictObject({ reason: plainText(500).optional() }).nullish();

/**
 * `POST /v1/batches/{batch_id}/halt`: nothing of the batch commits any more. A halted batch stays as it is; one that has
 * nothing to halt is told what to do instead.
 */
export function addHaltBatch(server: ApiServer, context: ApiContext): void {
  server.post(
    '/v1/batches/:batch_id/halt',
    {
      config: { role: 'operator' },
      schema: {
        operationId: 'haltBatch',
        tags: ['batches'],
        summary: 'Stop a batch where it is',
        params: BatchParams,
        body: Body,
        response: { 200: BatchDetail, ...problemAnswers(401, 403, 404, 409, 422) },
      },
    },
    async ({ params, body, caller }) => {
      await changeBatch(context, caller, params.batch_id, async (client, batch) => {
        if (batch.status === 'halted') return;
        if (!HALTABLE_STATUSES.includes(batch.status)) {
          const next = await describeAfterHalt(client, params.batch_id, batch.status);
          throw new Problem('conflict', `The batch is ${batch.status} and cannot be halted. ${next}`);
        }
        const reason = body?.reason === undefined ? '' : `: ${body.reason}`;
        await moveBatch(client, batch, {
          from: HALTABLE_STATUSES,
          to: 'halted',
          reason: `halted by ${caller.actor}${reason}`,
        });
      });
      return readBatchDetail(context.pool, params.batch_id);
    },
  );
}
