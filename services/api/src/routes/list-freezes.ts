import { listOpenFreezes } from '@backfill/core/db/queries/freeze-list';
import { z } from 'zod';
import type { ApiServer } from '../api-server.ts';
import type { ApiContext } from '../context.ts';
import { problemAnswers } from '../schemas/problem-answers.ts';

const Freezes = z.object({
  freezes: z.array(
    z.object({
      batch_id: z.string(),
      source: z.string(),
      window: z.object({ start: z.iso.datetime(), end: z.iso.datetime() }),
      reason: z.string(),
      frozen_at: z.iso.datetime(),
      extended_at: z.iso.datetime().nullable().describe('When something went wrong last'),
    }),
  ),
});

/** `GET /v1/freezes`: the windows that readers must not trust yet. */
export function addListFreezes(server: ApiServer, context: ApiContext): void {
  server.get(
    '/v1/freezes',
    {
      config: { role: 'any' },
      schema: {
        operationId: 'listFreezes',
        tags: ['events'],
        summary: 'Windows that readers must not trust yet',
        querystring: z.strictObject({}),
        response: { 200: Freezes, ...problemAnswers(401, 422) },
      },
    },
    async () => {
      const freezes = await listOpenFreezes(context.pool);
      return {
        freezes: freezes.map((freeze) => ({
          batch_id: freeze.batch_id,
          source: freeze.source,
          window: { start: freeze.window_start.toISOString(), end: freeze.window_end.toISOString() },
          reason: freeze.reason,
          frozen_at: freeze.frozen_at.toISOString(),
          extended_at: freeze.extended_at?.toISOString() ?? null,
        })),
      };
    },
  );
}
