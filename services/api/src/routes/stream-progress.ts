import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { RESTING_STATUSES } from '@backfill/core/domain/batch-status';
import { z } from 'zod';
import type { ApiServer } from '../api-server.ts';
import type { ApiContext } from '../context.ts';
import { readBatchDetail } from '../read-batch-view.ts';
import { BatchParams } from '../schemas/batch-params.ts';
import type { BatchDetail } from '../schemas/batch-view.ts';
import { problemAnswers } from '../schemas/problem-answers.ts';

const LOOK_EVERY_MS = 500;
/** Proxies close what is silent for long; a comment keeps the stream open. */
const COMMENT_AFTER_LOOKS = 30;

/**
 * The views of a batch as server-sent events: the first at once, then one for each change, until the batch rests.
 *
 * @param look reads the batch as it is now
 * @param pause waits between two looks; false ends the stream
 */
export async function* progressEvents(
  look: () => Promise<BatchDetail>,
  pause: () => Promise<boolean>,
): AsyncGenerator<string> {
  let shown = '';
  let silent = 0;
  do {
    const view = await look();
    const text = JSON.stringify(view);
    if (text !== shown) {
      yield `event: batch\ndata: ${text}\n\n`;
      shown = text;
      silent = 0;
    } else if (++silent % COMMENT_AFTER_LOOKS === 0) {
      yield ': still here\n\n';
    }
    if (RESTING_STATUSES.includes(view.status)) return;
  } while (await pause());
}

async function waitUnlessStopped(stopping: AbortSignal): Promise<boolean> {
  await delay(LOOK_EVERY_MS, undefined, { signal: stopping }).catch(() => undefined);
  return !stopping.aborted;
}

/** `GET /v1/batches/{batch_id}/progress`: server-sent events until the batch waits for a person or is done. */
export function addStreamProgress(server: ApiServer, context: ApiContext, stopping: AbortSignal): void {
  server.get(
    '/v1/batches/:batch_id/progress',
    {
      config: { role: 'any' },
      schema: {
        operationId: 'streamProgress',
        tags: ['batches'],
        summary: 'Follow a batch: server-sent events until it rests',
        params: BatchParams,
        response: {
          200: {
            description: 'Events named batch, each with the whole batch as its data',
            content: { 'text/event-stream': { schema: z.string() } },
          },
          ...problemAnswers(401, 404),
        },
      },
    },
    async ({ params }, reply) => {
      const look = () => readBatchDetail(context.pool, params.batch_id);
      const first = await look();
      let looks = 0;
      const events = progressEvents(
        async () => (looks++ === 0 ? first : look()),
        () => waitUnlessStopped(stopping),
      );
      reply.header('cache-control', 'no-store').type('text/event-stream');
      return reply.send(Readable.from(events) as unknown as string);
    },
  );
}
