import { hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { RESTING_STATUSES } from '@backfill/core/domain/batch-status';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { ApiServer } from '../api-server.ts';
import { findCaller } from '../authenticate.ts';
import type { ApiContext } from '../context.ts';
import { Problem } from '../problem.ts';
import { readBatchDetail } from '../read-batch-view.ts';
import { BatchParams } from '../schemas/batch-params.ts';
import type { BatchDetail } from '../schemas/batch-view.ts';
import { problemAnswers } from '../schemas/problem-answers.ts';

const LOOK_EVERY_MS = 500;
/** Proxies close what is silent for long; a comment keeps the stream open. */
const COMMENT_AFTER_LOOKS = 30;
/** How long a client that lost the stream waits before it asks again. */
const RECONNECT_AFTER_MS = 2_000;
/** Streams of one actor at once, in this process: each looks at its batch all the time. */
const MOST_STREAMS = 20;

/** The id of an event: the same for the same view, so that a client that comes back says what it has seen. */
export function eventId(view: BatchDetail): string {
  return hash('sha256', JSON.stringify(view), 'hex').slice(0, 32);
}

/**
 * The views of a batch as server-sent events: the first at once, unless the client has seen it, then one for each change,
 * until the batch rests.
 *
 * @param look reads the batch as it is now
 * @param pause waits between two looks; false ends the stream
 * @param seen the id of the last event that the client got
 */
export async function* progressEvents(
  look: () => Promise<BatchDetail>,
  pause: () => Promise<boolean>,
  seen?: string,
): AsyncGenerator<string> {
  let shown = seen;
  let silent = 0;
  yield `retry: ${RECONNECT_AFTER_MS}\n\n`;
  do {
    const view = await look();
    const id = eventId(view);
    if (id !== shown) {
      yield `id: ${id}\nevent: batch\ndata: ${JSON.stringify(view)}\n\n`;
      shown = id;
      silent = 0;
    } else if (++silent % COMMENT_AFTER_LOOKS === 0) {
      yield ': still here\n\n';
    }
    if (RESTING_STATUSES.includes(view.status)) return;
  } while (await pause());
}

const RETRY_AFTER_SECONDS = 10;

/** Loose: a request has other headers too. */
const Headers = z.looseObject({
  'last-event-id': z.string().max(64).optional().describe('The id of the last event that the client got'),
});

async function waitUnlessStopped(stopping: AbortSignal): Promise<boolean> {
  await delay(LOOK_EVERY_MS, undefined, { signal: stopping }).catch(() => undefined);
  return !stopping.aborted;
}

/** Whether the token of a request still says what it said when the request came. */
async function isStillCaller({ pool }: ApiContext, { caller, headers }: FastifyRequest): Promise<boolean> {
  return isDeepStrictEqual(await findCaller(pool, headers.authorization), caller);
}

/** @throws {Problem} 429 for an actor who has too many streams open */
function countStream(open: Map<string, number>, { caller }: FastifyRequest, reply: FastifyReply): void {
  const { actor } = caller;
  const count = open.get(actor) ?? 0;
  if (count >= MOST_STREAMS) {
    reply.header('retry-after', RETRY_AFTER_SECONDS);
    throw new Problem('too-many-requests', `At most ${MOST_STREAMS} batches can be followed at once.`);
  }
  // Who has gone already closes nothing any more: counted, the stream would be open for ever.
  if (reply.raw.destroyed) return;
  open.set(actor, count + 1);
  reply.raw.once('close', () => {
    const left = (open.get(actor) ?? 1) - 1;
    if (left > 0) open.set(actor, left);
    else open.delete(actor);
  });
}

/**
 * `GET /v1/batches/{batch_id}/progress`: server-sent events until the batch waits for a person or is done. A client that
 * comes back and has seen how the batch rests is told that there is no more: 204 ends its asking.
 */
export function addStreamProgress(server: ApiServer, context: ApiContext, stopping: AbortSignal): void {
  const open = new Map<string, number>();
  server.get(
    '/v1/batches/:batch_id/progress',
    {
      config: { role: 'any' },
      schema: {
        operationId: 'streamProgress',
        tags: ['batches'],
        summary: 'Follow a batch: server-sent events until it rests',
        params: BatchParams,
        headers: Headers,
        response: {
          200: {
            description:
              'Events named batch, each with the whole batch as its data; comments keep a silent stream open. The stream ' +
              'ends when the batch rests, the token is not valid any more or its roles have changed, or the server stops: ' +
              'ask again then, with the last id as Last-Event-ID',
            content: { 'text/event-stream': { schema: z.string() } },
          },
          204: z.undefined().describe('The batch rests, and the event of Last-Event-ID was the last one'),
          ...problemAnswers(404, 422),
        },
      },
    },
    async (request, reply) => {
      const { params, headers } = request;
      const look = () => readBatchDetail(context.pool, params.batch_id);
      const first = await look();
      const seen = headers['last-event-id'];
      if (RESTING_STATUSES.includes(first.status) && seen === eventId(first)) return reply.code(204).send();
      countStream(open, request, reply);
      let looks = 0;
      const events = progressEvents(
        async () => (looks++ === 0 ? first : look()),
        // A stream may be open for hours: who was let in may have lost their token, or their roles, since.
        async () => (await waitUnlessStopped(stopping)) && (await isStillCaller(context, request)),
        seen,
      );
      reply.header('cache-control', 'no-store').type('text/event-stream');
      return reply.send(Readable.from(events) as unknown as string);
    },
  );
}
