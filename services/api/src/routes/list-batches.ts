import { listBatches } from '@backfill/core/db/queries/batch-list';
import { BATCH_STATUSES } from '@backfill/core/domain/batch-status';
import { z } from 'zod';
import type { ApiServer } from '../api-server.ts';
import type { ApiContext } from '../context.ts';
import { readBatchViews } from '../read-batch-view.ts';
import { BatchView } from '../schemas/batch-view.ts';
import { problemAnswers } from '../schemas/problem-answers.ts';

const Query = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z
    .string()
    .regex(/^[0-9]{1,15}$/, 'is not a next_cursor of an earlier answer')
    .optional(),
  status: z.enum(BATCH_STATUSES).optional(),
});

const Page = z.object({
  batches: z.array(BatchView),
  next_cursor: z.string().nullable().describe('Ask for the next page with it; null on the last one'),
});

/** `GET /v1/batches`: newest first, page by page; a batch submitted meanwhile moves no page. */
export function addListBatches(server: ApiServer, context: ApiContext): void {
  server.get(
    '/v1/batches',
    {
      config: { role: 'any' },
      schema: {
        operationId: 'listBatches',
        tags: ['batches'],
        summary: 'List batches, newest first',
        querystring: Query,
        response: { 200: Page, ...problemAnswers(401, 422) },
      },
    },
    async ({ query }) => {
      const before = query.cursor === undefined ? undefined : Number(query.cursor);
      // One more than asked for tells whether there is a next page.
      const found = await listBatches(context.pool, { status: query.status, before, limit: query.limit + 1 });
      const batches = found.slice(0, query.limit);
      return {
        batches: await readBatchViews(context.pool, batches),
        next_cursor: found.length > query.limit ? String(batches.at(-1)?.batch_no) : null,
      };
    },
  );
}
