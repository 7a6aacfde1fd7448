import type { BackfillConfig } from '@backfill/core/config/load-config';
import { type BatchRow, getBatch } from '@backfill/core/db/queries/batch-get';
import { insertBatch } from '@backfill/core/db/queries/batch-insert';
import { withTransaction } from '@backfill/core/db/transaction';
import { enqueueOpenWork } from '@backfill/core/dispatch/change-status';
import { referencesOutside } from '@backfill/core/domain/kpi-references';
import { replacementProblem } from '@backfill/core/domain/replacement';
import { type BatchRequest, requestSha256 } from '@backfill/core/domain/submission';
import type { ApiServer } from '../api-server.ts';
import type { ApiContext } from '../context.ts';
import { type FieldError, invalidRequest, Problem } from '../problem.ts';
import { readBatchDetail } from '../read-batch-view.ts';
import { BatchDetail } from '../schemas/batch-view.ts';
import { problemAnswers } from '../schemas/problem-answers.ts';
import { submissionBody } from '../schemas/submission-body.ts';

/** A source that is well named but not configured; `source` may be anything a caller has sent. */
function sourceMistakes({ sources }: BackfillConfig, source: unknown): FieldError[] {
  if (typeof source !== 'string' || sources.has(source)) return [];
  const known = [...sources.keys()].sort().join(', ');
  return [{ path: 'source', message: `is not configured; there are: ${known || 'none'}` }];
}

/** References for days that the window does not touch, where the policy has its days begin. */
function referenceMistakes({ policy }: BackfillConfig, { references = [], window }: BatchRequest): FieldError[] {
  const span = { startMs: Date.parse(window.start), endMs: Date.parse(window.end) };
  return referencesOutside(references, span, policy.kpi.time_zone).map(({ index, field, message }) => ({
    path: `references.${index}.${field}`,
    message,
  }));
}

/** What the batch cannot replace. Asked again by its gates: it may change until then. */
async function replacesMistakes(
  { pool }: ApiContext,
  { source, window, replaces }: BatchRequest,
): Promise<FieldError[]> {
  if (replaces === undefined || 'live' in replaces) return [];
  const target = await getBatch(pool, replaces.batch_id);
  const batch = { source, window_start: new Date(window.start), window_end: new Date(window.end) };
  const message = replacementProblem(batch, target);
  return message === undefined ? [] : [{ path: 'replaces.batch_id', message }];
}

async function allMistakes(context: ApiContext, invalid: Error, body: unknown): Promise<Error> {
  if (!(invalid instanceof Problem)) return invalid;
  const found = invalid.errors ?? [];
  if (found.some((error) => error.path === 'source')) return invalid;
  const source = Object(body).source as unknown;
  return invalidRequest([...found, ...sourceMistakes(await context.loadConfig(), source)]);
}

function refuseOther(existing: BatchRow, sha256: string): void {
  if (existing.request_sha256 === sha256) return;
  throw new Problem('conflict', 'This batch id is taken by a batch with another body. Choose another id.');
}

/** Stores the batch and its first work in one transaction. False: someone else has taken the id meanwhile. */
async function submit(context: ApiContext, request: BatchRequest, sha256: string, actor: string): Promise<boolean> {
  return withTransaction(context.pool, actor, async (client) => {
    if (!(await insertBatch(client, { request, requestSha256: sha256, submittedBy: actor }))) return false;
    const batch = await getBatch(client, request.batch_id);
    if (batch !== undefined) await enqueueOpenWork(client, batch);
    return true;
  });
}

/**
 * `POST /v1/batches`: 202 for a new batch, 200 for the same body again (compared by canonical hash, whoever sends it),
 * 409 for another body under a known id. What depends on the server's configuration is only asked of new batches.
 */
export function addSubmitBatch(server: ApiServer, context: ApiContext): void {
  server.post(
    '/v1/batches',
    {
      config: { role: 'submitter' },
      // The handler adds what only the configuration can tell, so that one answer names every mistake.
      attachValidation: true,
      schema: {
        operationId: 'submitBatch',
        tags: ['batches'],
        summary: 'Submit a batch',
        body: submissionBody(context.config.storage.rawBucket),
        response: { 200: BatchDetail, 202: BatchDetail, ...problemAnswers(401, 403, 409, 422) },
      },
    },
    async (request, reply) => {
      if (request.validationError) throw await allMistakes(context, request.validationError, request.body);
      const { body, caller } = request;
      const sha256 = requestSha256(body);
      let existing = await getBatch(context.pool, body.batch_id);
      if (existing === undefined) {
        const config = await context.loadConfig();
        const mistakes = [
          ...sourceMistakes(config, body.source),
          ...referenceMistakes(config, body),
          ...(await replacesMistakes(context, body)),
        ];
        if (mistakes.length > 0) throw invalidRequest(mistakes);
        const isNew = await submit(context, body, sha256, caller.actor);
        if (isNew) context.logger.info({ batch: body.batch_id, source: body.source }, 'batch submitted');
        reply.code(isNew ? 202 : 200);
        if (!isNew) existing = await getBatch(context.pool, body.batch_id);
      }
      if (existing !== undefined) refuseOther(existing, sha256);
      reply.header('location', `/v1/batches/${body.batch_id}`);
      return readBatchDetail(context.pool, body.batch_id);
    },
  );
}
