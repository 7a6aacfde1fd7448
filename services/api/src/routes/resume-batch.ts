import type { Client } from '@backfill/core/db/pool';
import type { BatchRow } from '@backfill/core/db/queries/batch-get';
import { findArchiveDeletion } from '@backfill/core/db/queries/deletions';
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

/** @throws {Problem} 409 when retention is taking away what the batch would go on with, or has */
async function requireArchive(client: Client, batch: BatchRow): Promise<void> {
  const deletion = await findArchiveDeletion(client, batch);
  if (deletion === undefined) return;
  if (deletion.completed_at === null) {
    throw new Problem('conflict', 'Its mirror is past its time and being deleted. Try again in a minute.');
  }
  if (batch.status !== 'failed') return;
  const when = deletion.completed_at.toISOString().slice(0, 10);
  throw new Problem(
    'conflict',
    `Its mirror was past its time and was deleted on ${when}: there is nothing to go on with. Roll the batch back, and resume it then: it starts anew from its input.`,
  );
}

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
        operationId: 'resumeBatch',
        tags: ['batches'],
        summary: 'Let a batch go on',
        params: BatchParams,
        body: EmptyBody,
        response: { 202: BatchDetail, ...problemAnswers(401, 403, 404, 409, 422) },
      },
    },
    async ({ params, caller }, reply) => {
      await changeBatch(context, caller, params.batch_id, async (client, batch) => {
        await requireArchive(client, batch);
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
