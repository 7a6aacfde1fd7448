import { randomUUID } from 'node:crypto';
import { erasureSchema } from '@backfill/core/client/erasure-view';
import type { KeyRing } from '@backfill/core/recipe/key-ring';
import { rawIdentifier } from '@backfill/core/recipe/raw-identifier';
import { keyRingOf } from '@backfill/core/runtime/keyed-runtime';
import { z } from 'zod';
import type { ApiServer } from '../api-server.ts';
import type { ApiContext } from '../context.ts';
import { createClearSearches } from '../erasure/clear-search.ts';
import { derivePseudonyms } from '../erasure/derive-pseudonyms.ts';
import { RequestLimit } from '../erasure/request-limit.ts';
import { submitErasure } from '../erasure/submit-erasure.ts';
import { Problem } from '../problem.ts';
import { readErasure } from '../read-erasure.ts';
import { problemAnswers } from '../schemas/problem-answers.ts';

// Not strict: an unknown field would be named, and who mixes things up may have put the id there.
const Body = z.object({
  subject: z
    .string()
    .refine((id) => rawIdentifier(id) !== undefined, 'is an id of 1 to 512 characters')
    .describe('The id of the person, as the raw logs have it. It is not stored'),
});
const Params = z.strictObject({ erasure_id: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER) });

/** Room for the longest id, escaped. */
const BODY_LIMIT = 8 * 1024;
const MOST_REQUESTS = 30;
const PER_MS = 60_000;

function keysOf({ config }: ApiContext): KeyRing {
  try {
    return keyRingOf(config);
  } catch (error) {
    throw new Problem('invalid-configuration', 'The API has no ANALYTICS_SALT_FILE: it cannot make pseudonyms.', {
      cause: error,
    });
  }
}

/**
 * `POST /v1/erasures`: forgets a person. Suppressed before the answer; the rest is done by the rollback service, by the
 * pseudonyms. What only the id itself can find is searched for in this process, which forgets it then.
 */
export function addEraseSubject(server: ApiServer, context: ApiContext, stopping: AbortSignal): void {
  const searches = createClearSearches(context, stopping);
  const limit = new RequestLimit(MOST_REQUESTS, PER_MS);
  server.addHook('onClose', () => searches.rest());
  server.post(
    '/v1/erasures',
    {
      bodyLimit: BODY_LIMIT,
      config: { role: 'data_privacy_officer' },
      schema: {
        operationId: 'eraseSubject',
        tags: ['privacy'],
        summary: 'Forget a person',
        body: Body,
        response: { 200: erasureSchema, 202: erasureSchema, ...problemAnswers(401, 403, 409, 413, 422, 429, 503) },
      },
    },
    async ({ body: { subject }, caller }, reply) => {
      const wait = searches.hasRoom() ? limit.take(caller.actor, Date.now()) : 60;
      if (wait > 0) {
        reply.header('retry-after', wait);
        throw new Problem('too-many-requests', `Try again in ${wait} seconds.`);
      }
      const keys = keysOf(context);
      const pseudonyms = await derivePseudonyms(context, keys, subject);
      if (pseudonyms.length === 0) {
        throw new Problem('conflict', 'No source makes a pseudonym of this id, so nothing is stored under one.');
      }
      const search = randomUUID();
      const { erasure_id: erasureId, is_new } = await submitErasure(
        context.pool,
        { actor: caller.actor, pseudonyms, search },
        (seconds) => void reply.header('retry-after', seconds),
      );
      searches.start({ erasureId, search, subject, keys, pseudonyms, actor: caller.actor });
      reply.code(is_new ? 202 : 200);
      return readErasure(context.pool, erasureId);
    },
  );
}

/** `GET /v1/erasures/{erasure_id}`: how far an erasure is, with its receipts. */
export function addGetErasure(server: ApiServer, context: ApiContext): void {
  server.get(
    '/v1/erasures/:erasure_id',
    {
      config: { role: 'data_privacy_officer' },
      schema: {
        operationId: 'getErasure',
        tags: ['privacy'],
        summary: 'An erasure with its receipts',
        params: Params,
        response: { 200: erasureSchema, ...problemAnswers(401, 403, 404, 422) },
      },
    },
    ({ params }) => readErasure(context.pool, params.erasure_id),
  );
}
