import { openShownQueues } from '@backfill/core/queue/shown-queues';
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { ApiServer } from './api-server.ts';
import { BASIC, createAuthenticator } from './authenticate.ts';
import type { ApiContext } from './context.ts';
import { Problem } from './problem.ts';
import type { RequestLimiter } from './request-limiter.ts';
import { PAGE_POLICY, policyText } from './security-headers.ts';
import { toProblem } from './to-problem.ts';

const PATH = '/queues';

/** The page asks another company's server for its fonts, and tells it with that who looks. */
const FOREIGN_FONTS = /<link href="https:\/\/fonts\.googleapis\.com\/[^"]*" rel="stylesheet">/;

/** Errors as problem documents, in the place of Bull Board's own, which repeat what was thrown. */
class BoardAdapter extends FastifyAdapter {
  override setErrorHandler(): this {
    return super.setErrorHandler((error) => {
      const problem = toProblem(error);
      return { status: problem.status as 500, body: { ...problem.document(PATH) } };
    });
  }
}

function createBoard(redisUrl: string, prefix: string) {
  const shown = openShownQueues(redisUrl, prefix);
  const serverAdapter = new BoardAdapter();
  serverAdapter.setBasePath(PATH);
  createBullBoard({
    queues: shown.queues.map((queue) => new BullMQAdapter(queue, { readOnlyMode: true, allowRetries: false })),
    serverAdapter,
    options: {
      uiConfig: { boardTitle: 'Backfill queues', hideDocsLink: true, hideRedisDetails: true },
    },
  });
  return { plugin: serverAdapter.registerPlugin(), close: () => shown.close() };
}

/**
 * Bull Board under `/queues`, for operators, to look only. A browser asks for the token as a password. What would change a
 * queue is refused here, whatever Bull Board makes of it: PostgreSQL says what work there is, and a job that goes behind
 * its back comes back by itself.
 */
export async function addQueueBoard(server: ApiServer, context: ApiContext, limiter: RequestLimiter): Promise<void> {
  const { pool, config } = context;
  const authenticate = createAuthenticator(pool, limiter, BASIC);
  const board = createBoard(config.redisUrl, config.queuePrefix);
  server.addHook('onClose', () => board.close());
  await server.register(async (scope) => {
    scope.addHook('onRoute', (route) => {
      route.config = { ...route.config, role: 'operator' };
    });
    scope.addHook('onRequest', async (request, reply) => {
      await authenticate(request, reply);
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        throw new Problem('forbidden', 'This page only shows the queues. ./backfill halt and resume act on batches.');
      }
      reply.header('content-security-policy', policyText(PAGE_POLICY));
    });
    scope.addHook('onSend', async (_request, reply, payload) => {
      const type = String(reply.getHeader('content-type') ?? '');
      if (reply.statusCode >= 400 && type.startsWith('application/json')) reply.type('application/problem+json');
      return typeof payload === 'string' && type.startsWith('text/html') ? payload.replace(FOREIGN_FONTS, '') : payload;
    });
    await scope.register(board.plugin, { prefix: PATH });
  });
}
