import { closeIncident } from '@backfill/core/db/queries/incident-close';
import { listIncidents } from '@backfill/core/db/queries/incident-list';
import { z } from 'zod';
import type { ApiServer } from '../api-server.ts';
import { changeBatch } from '../change-batch.ts';
import type { ApiContext } from '../context.ts';
import { Problem } from '../problem.ts';
import { readBatchDetail } from '../read-batch-view.ts';
import { BatchParams } from '../schemas/batch-params.ts';
import { BatchDetail } from '../schemas/batch-view.ts';
import { problemAnswers } from '../schemas/problem-answers.ts';
import { plainText } from '../schemas/text.ts';

const Params = BatchParams.extend({ incident_id: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER) });
const Body = z.strictObject({ note: plainText(1_000).describe('Where the post-mortem is') });

/**
 * `POST /v1/batches/{batch_id}/incidents/{incident_id}/close`: the post-mortem is written. Lifts a freeze that only the
 * incident holds. A closed incident stays as it is.
 */
export function addCloseIncident(server: ApiServer, context: ApiContext): void {
  server.post(
    '/v1/batches/:batch_id/incidents/:incident_id/close',
    {
      config: { role: 'operator' },
      schema: {
        operationId: 'closeIncident',
        tags: ['decisions'],
        summary: 'Close an incident with its post-mortem',
        params: Params,
        body: Body,
        response: { 200: BatchDetail, ...problemAnswers(401, 403, 404, 409, 422) },
      },
    },
    async ({ params, body, caller }) => {
      const isNew = await changeBatch(context, caller, params.batch_id, async (client) => {
        const incidents = await listIncidents(client, params.batch_id);
        const incident = incidents.find(({ incident_id }) => incident_id === params.incident_id);
        if (incident === undefined) throw new Problem('not-found', 'The batch has no incident of this number.');
        if (incident.closed_at === null) {
          await closeIncident(client, incident.incident_id, { actor: caller.actor, note: body.note });
          return true;
        }
        if (incident.note === body.note) return false;
        throw new Problem('conflict', `${incident.closed_by} has closed it: ${incident.note ?? 'without a note'}.`);
      });
      const { batch_id: batch, incident_id: incident } = params;
      if (isNew) context.logger.info({ batch, incident }, 'incident closed');
      return readBatchDetail(context.pool, params.batch_id);
    },
  );
}
