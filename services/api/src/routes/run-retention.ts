import { retentionRunSchema } from '@backfill/core/client/retention-view';
import { requestRetentionRun } from '@backfill/core/db/queries/retention-runs';
import { withTransaction } from '@backfill/core/db/transaction';
import type { ApiServer } from '../api-server.ts';
import type { ApiContext } from '../context.ts';
import { readRetentionRun } from '../read-retention-run.ts';
import { EmptyBody } from '../schemas/empty-body.ts';
import { problemAnswers } from '../schemas/problem-answers.ts';

/**
 * `POST /v1/retention/runs`: has the rollback service delete now what is past its time, instead of with the next hour. A
 * run that is waiting already is the answer to whoever else asks.
 */
export function addRunRetention(server: ApiServer, context: ApiContext): void {
  server.post(
    '/v1/retention/runs',
    {
      config: { role: 'operator' },
      schema: {
        operationId: 'runRetention',
        tags: ['retention'],
        summary: 'Delete now what is past its time',
        body: EmptyBody,
        response: { 200: retentionRunSchema, 202: retentionRunSchema, ...problemAnswers(401, 403, 422) },
      },
    },
    async ({ caller }, reply) => {
      const { run_id, is_new } = await withTransaction(context.pool, caller.actor, (client) =>
        requestRetentionRun(client, caller.actor),
      );
      if (is_new) context.logger.info({ run: run_id }, 'retention asked for');
      reply.code(is_new ? 202 : 200);
      return readRetentionRun(context.pool, run_id);
    },
  );
}
