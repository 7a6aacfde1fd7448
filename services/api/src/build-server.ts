import { describeError } from '@backfill/core/errors';
import { withRequestId } from '@backfill/core/request-scope';
import Fastify, { type FastifyBaseLogger, type FastifyReply, type FastifyRequest, LogController } from 'fastify';
import { serializerCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import type { ApiServer } from './api-server.ts';
import { createAuthenticator } from './authenticate.ts';
import type { ApiContext } from './context.ts';
import { describeRoute } from './describe-route.ts';
import { problemInstance } from './erasure/problem-instance.ts';
import { zodValidatorCompiler } from './http-validation.ts';
import { addOpenApi } from './openapi.ts';
import { Problem } from './problem.ts';
import { addQueueBoard } from './queue-board.ts';
import { chooseRequestId } from './request-id.ts';
import { createRequestLimiter, type RequestLimiter } from './request-limiter.ts';
import { addApproveBatch } from './routes/approve-batch.ts';
import { addCloseIncident } from './routes/close-incident.ts';
import { addEraseSubject, addGetErasure } from './routes/erase-subject.ts';
import { addEscalateBatch } from './routes/escalate-batch.ts';
import { addGetBatch } from './routes/get-batch.ts';
import { addGetReport } from './routes/get-report.ts';
import { addGetRetention, addGetRetentionRun } from './routes/get-retention.ts';
import { addHaltBatch } from './routes/halt-batch.ts';
import { addHealth } from './routes/health.ts';
import { addLimitImport } from './routes/limit-import.ts';
import { addListBatches } from './routes/list-batches.ts';
import { addListFreezes } from './routes/list-freezes.ts';
import { addPublishBatch } from './routes/publish-batch.ts';
import { addRecordRehearsal } from './routes/record-rehearsal.ts';
import { addResumeBatch } from './routes/resume-batch.ts';
import { addRollBackBatch } from './routes/roll-back-batch.ts';
import { addRunRetention } from './routes/run-retention.ts';
import { addStreamProgress } from './routes/stream-progress.ts';
import { addSubmitBatch } from './routes/submit-batch.ts';
import { addTraceEvent } from './routes/trace-event.ts';
import { addVerifyBatch } from './routes/verify-batch.ts';
import { addSecurityHeaders } from './security-headers.ts';
import { toProblem } from './to-problem.ts';
import { watchUnusedConnections } from './unused-connections.ts';

/** Largest body, in bytes: room for a submission with all the reference numbers it may have. */
const BODY_LIMIT = 512 * 1024;

/** Answers with a problem document; what only the operator may know goes to the log. */
function answerProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = toProblem(error);
  if (problem.status >= 500)
    request.log.error({ request_id: request.id, error: describeError(problem) }, 'request failed');
  return reply
    .code(problem.status)
    .type('application/problem+json')
    .serializer(JSON.stringify)
    .send(problem.document(problemInstance(request.url)));
}

// A client that always says it sends JSON may send none where no body is needed.
function acceptEmptyJson(server: ApiServer): void {
  const parse = server.getDefaultJsonParser('error', 'error');
  server.removeContentTypeParser(['application/json', 'text/plain']);
  server.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else void parse(request, body as string, done);
  });
}

function logAnswer(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  // The route's pattern instead of the address asked for, and no address of the client.
  const { method, url: route } = request.routeOptions;
  request.log.debug({ request_id: request.id, method, route, status: reply.statusCode }, 'answered');
  done();
}

function addRoutes(server: ApiServer, context: ApiContext, limiter: RequestLimiter, stopping: AbortSignal): void {
  server.addHook('onRequest', createAuthenticator(context.pool, limiter));
  server.addHook('onRoute', describeRoute);
  // Here and not earlier: reading the body would lose it.
  server.addHook('preHandler', (request, _reply, done) => withRequestId(request.id, done));
  addSubmitBatch(server, context);
  addListBatches(server, context);
  addGetBatch(server, context);
  addStreamProgress(server, context, stopping);
  addApproveBatch(server, context);
  addRecordRehearsal(server, context);
  addEscalateBatch(server, context);
  addCloseIncident(server, context);
  addHaltBatch(server, context);
  addLimitImport(server, context);
  addResumeBatch(server, context);
  addVerifyBatch(server, context);
  addPublishBatch(server, context);
  addRollBackBatch(server, context);
  addGetReport(server, context);
  addTraceEvent(server, context);
  addListFreezes(server, context);
  addGetRetention(server, context);
  addRunRetention(server, context);
  addGetRetentionRun(server, context);
  addEraseSubject(server, context, stopping);
  addGetErasure(server, context);
}

/**
 * The HTTP server with all routes, not listening yet.
 *
 * @param stopping ends the open event streams
 */
export async function buildServer(context: ApiContext, stopping: AbortSignal): Promise<ApiServer> {
  const server: ApiServer = Fastify({
    loggerInstance: context.logger as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    genReqId: chooseRequestId,
    exposeHeadRoutes: false,
    // Answers where a router's own refusals would not be problem documents.
    frameworkErrors: answerProblem,
  }).withTypeProvider<ZodTypeProvider>();
  server.setValidatorCompiler(zodValidatorCompiler);
  server.setSerializerCompiler(serializerCompiler);
  server.setErrorHandler(answerProblem);
  server.setNotFoundHandler(() => {
    throw new Problem('not-found', 'There is nothing under this path and method. GET /docs lists what there is.');
  });
  const closeUnused = watchUnusedConnections(server.server);
  server.addHook('preClose', async () => closeUnused());
  server.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
  });
  server.addHook('onResponse', logAnswer);
  acceptEmptyJson(server);
  await addSecurityHeaders(server);
  const limiter = await createRequestLimiter(server, context.config.rateLimits);
  await addOpenApi(server);
  addHealth(server, context);
  await addQueueBoard(server, context, limiter);
  await server.register(async (scope) => addRoutes(scope as ApiServer, context, limiter, stopping));
  return server;
}
