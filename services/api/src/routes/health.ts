import { createExporter } from '@backfill/core/observability/exporter';
import { answerReadiness, shareLook } from '@backfill/core/observability/health-server';
import { z } from 'zod';
import type { ApiServer } from '../api-server.ts';
import type { ApiContext } from '../context.ts';

const Live = z.object({ status: z.literal('ok') }).meta({ examples: [{ status: 'ok' }] });
const Ready = z.object({ status: z.literal('ready') }).meta({ examples: [{ status: 'ready' }] });
const NotReady = z
  .object({
    status: z.literal('not ready'),
    down: z
      .record(z.string(), z.string())
      .describe('By name: postgres, postgres_checkpoint (a dedup store of its own), redis, s3_raw, s3_archive'),
  })
  .meta({ examples: [{ status: 'not ready', down: { redis: 'does not answer' } }] });

/** Each dependency that is down, by name. Anyone may ask, so that the reason goes to the log only. */
async function checkDependencies(context: ApiContext): Promise<Record<string, string | undefined>> {
  const findings = Object.entries(await context.checkDependencies());
  for (const [dependency, problem] of findings) {
    if (problem !== undefined) context.logger.warn({ dependency, problem }, 'dependency is down');
  }
  return Object.fromEntries(findings.map(([name, problem]) => [name, problem && 'does not answer']));
}

/**
 * `/healthz`, `/readyz` (naming each dependency that is down) and `/metrics`, without a token and without a limit: those
 * of this process, of the batches and of the queues.
 */
export function addHealth(server: ApiServer, context: ApiContext): void {
  const { contentType } = context.metrics.registry;
  const readMetrics = createExporter(context);
  const check = shareLook(() => checkDependencies(context));
  const common = { tags: ['health'], security: [] };
  server.get(
    '/healthz',
    {
      schema: { ...common, operationId: 'getHealth', summary: 'The process lives', response: { 200: Live } },
    },
    async () => ({ status: 'ok' as const }),
  );
  server.get(
    '/readyz',
    {
      schema: {
        ...common,
        operationId: 'getReadiness',
        summary: 'All dependencies answer',
        response: { 200: Ready, 503: NotReady },
      },
    },
    async (_request, reply) => {
      const { status, body } = await answerReadiness(check);
      return reply.code(status).send(body as never);
    },
  );
  server.get(
    '/metrics',
    {
      schema: {
        ...common,
        operationId: 'getMetrics',
        summary: 'Prometheus metrics',
        response: {
          200: { description: 'In the text format of Prometheus', content: { 'text/plain': { schema: z.string() } } },
        },
      },
    },
    async (_request, reply) =>
      reply
        .type(contentType)
        .serializer(String)
        .send(await readMetrics()),
  );
}
