import { hash } from 'node:crypto';
import { hasAuditHead } from '@backfill/core/db/queries/audit-head-find';
import { getRehearsalState, insertRehearsal } from '@backfill/core/db/queries/rehearsal';
import { startRunWhenReady } from '@backfill/core/dispatch/start-run';
import { readRehearsalReport, rehearsalProblem } from '@backfill/core/plan/rehearsal-report';
import { archiveLayout } from '@backfill/core/storage/layout';
import { z } from 'zod';
import type { ApiServer } from '../api-server.ts';
import { changeBatch } from '../change-batch.ts';
import type { ApiContext } from '../context.ts';
import { invalidRequest, Problem } from '../problem.ts';
import { readBatchDetail } from '../read-batch-view.ts';
import { BatchParams } from '../schemas/batch-params.ts';
import { BatchDetail } from '../schemas/batch-view.ts';
import { problemAnswers } from '../schemas/problem-answers.ts';

/** Largest report, in UTF-16 units: one of a year's window has a row per event type and day. */
const MOST_REPORT = 8 * 1024 * 1024;
/** Escaped as a JSON string, it may double. */
const BODY_LIMIT = 4 * MOST_REPORT;

const Body = z.strictObject({
  report: z.string().min(2).max(MOST_REPORT).describe('The text of the report.json of the run, as it was fetched'),
});

/**
 * `POST /v1/batches/{batch_id}/rehearsal`: puts on record that a run of the same recipe elsewhere went well. The report is
 * kept as it is; nothing can prove that nobody has written it by hand, so it counts as said by its caller.
 */
export function addRecordRehearsal(server: ApiServer, context: ApiContext): void {
  const { archiveBucket } = context.config.storage;
  server.post(
    '/v1/batches/:batch_id/rehearsal',
    {
      bodyLimit: BODY_LIMIT,
      config: { role: 'operator' },
      schema: {
        operationId: 'recordRehearsal',
        tags: ['decisions'],
        summary: 'Put the rehearsal of a batch on record',
        params: BatchParams,
        body: Body,
        response: { 200: BatchDetail, 201: BatchDetail, ...problemAnswers(401, 403, 404, 409, 422) },
      },
    },
    async ({ params, body, caller }, reply) => {
      const report = readRehearsalReport(body.report);
      if (report === undefined) {
        throw invalidRequest([{ path: 'report', message: 'is not the report.json of a verified batch' }]);
      }
      const problem = rehearsalProblem(report);
      if (problem !== undefined) throw new Problem('conflict', `That run is no rehearsal that went well: ${problem}.`);
      const sha256 = hash('sha256', body.report, 'hex');
      const key = archiveLayout.rehearsal(params.batch_id, sha256);
      const isNew = await changeBatch(context, caller, params.batch_id, async (client, batch) => {
        const state = await getRehearsalState(client, batch.batch_id);
        if (state === undefined) throw new Problem('conflict', 'The batch has no plan to compare the rehearsal with.');
        if (report.recipe_hash !== state.recipe_hash) {
          throw new Problem(
            'conflict',
            `That run had the recipe ${report.recipe_hash}, and the batch has ${state.recipe_hash}: source, taxonomy, rules, keys or window differ.`,
          );
        }
        if (report.audit_head != null && (await hasAuditHead(client, report.audit_head))) {
          throw new Problem('conflict', 'That run was here, and a rehearsal is a run elsewhere.');
        }
        await context.store.put(archiveBucket, key, Buffer.from(body.report), 'application/json');
        const inserted = await insertRehearsal(client, {
          batchId: batch.batch_id,
          recipeHash: state.recipe_hash,
          reportSha256: sha256,
          reportPath: `s3://${archiveBucket}/${key}`,
          rehearsedBatchId: report.batch_id,
          rehearsedGateSetHash: report.gate_set_hash,
          actor: caller.actor,
        });
        await startRunWhenReady(client, batch);
        return inserted;
      });
      if (isNew) context.logger.info({ batch: params.batch_id, rehearsed: report.batch_id }, 'rehearsal recorded');
      reply.code(isNew ? 201 : 200);
      return readBatchDetail(context.pool, params.batch_id);
    },
  );
}
