import { setTimeout as delay } from 'node:timers/promises';
import { describeError } from '@backfill/core/errors';
import { answerReadiness } from '@backfill/core/observability/health-server';
import { z } from 'zod';
import type { ApiServer } from '../api-server.ts';
import type { ApiContext } from '../context.ts';

const CHECK_TIMEOUT_MS = 3_000;

const Ready = z.object({ status: z.literal('ready') });
const NotReady = z.object({ status: z.literal('not ready'), down: z.record(z.string(), z.string()) });

/** undefined when the dependency answers in time. Its own words go to the log: they can name servers and accounts. */
async function problemOf(name: string, check: () => Promise<unknown>, context: ApiContext): Promise<string | undefined> {
  const timer = new AbortController();
  const timeout = delay(CHECK_TIMEOUT_MS, 'does not answer in time', { signal: timer.signal });
  try {
    return await Promise.race([check().then(() => undefined), timeout]);
  } catch (error) {
    context.logger.warn({ dependency: name, error: describeError(error) }, 'dependency is not well');
    return 'cannot be used';
  } finally {
    timer.abort();
    await timeout.catch(() => undefined);
  }
}

async function checkDependencies(context: ApiContext) {
  const { pool, store, config } = context;
  const checks = {
    postgres: () => pool.query('select 1'),
    redis: () => context.pingRedis(),
    s3: () => Promise.all([config.storage.rawBucket, config.storage.archiveBucket].map((b) => store.checkBucket(b))),
  };
  const findings = Object.entries(checks).map(
    async ([name, check]) => [name, await problemOf(name, check, context)] as const,
  );
  return Object.fromEntries(await Promise.all(findings));
}

/** `/healthz`, `/readyz` (naming each dependency that is down) and `/metrics`, without a token. */
export function addHealth(server: ApiServer, context: ApiContext): void {
  const { registry } = context.metrics;
  server.get('/healthz', { schema: { summary: 'The process lives' } }, async () => ({ status: 'ok' }));
  server.get(
    '/readyz',
    { schema: { summary: 'All dependencies answer', response: { 200: Ready, 503: NotReady } } },
    async (_request, reply) => {
      const { status, body } = await answerReadiness(() => checkDependencies(context));
      return reply.code(status).send(body as never);
    },
  );
  server.get('/metrics', { schema: { summary: 'Prometheus metrics' } }, async (_request, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  );
}
