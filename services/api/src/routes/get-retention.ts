import { retentionRunSchema, retentionViewSchema } from '@backfill/core/client/retention-view';
import {
  listEventPartitions,
  listRetentionBatches,
  readDatabaseClock,
} from '@backfill/core/db/queries/retention-facts';
import { getLastCompleteRetention } from '@backfill/core/db/queries/retention-runs';
import { findOverAge } from '@backfill/core/retention/find-over-age';
import { measureDue } from '@backfill/core/retention/measure-due';
import { planRetention } from '@backfill/core/retention/retention-rules';
import { z } from 'zod';
import type { ApiServer } from '../api-server.ts';
import type { ApiContext } from '../context.ts';
import { readRetentionRun } from '../read-retention-run.ts';
import { problemAnswers } from '../schemas/problem-answers.ts';

const Params = z.strictObject({ run_id: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER) });

/** `GET /v1/retention`: what a run would delete now, and why; what stays all the same. Deletes nothing. */
export function addGetRetention(server: ApiServer, context: ApiContext): void {
  const { pool, keyStore, store, config } = context;
  server.get(
    '/v1/retention',
    {
      config: { role: 'any' },
      schema: {
        operationId: 'getRetention',
        tags: ['retention'],
        summary: 'What is past its time, and what would be deleted now',
        response: { 200: retentionViewSchema, ...problemAnswers(401) },
      },
    },
    async () => {
      const { retention: limits } = (await context.loadConfig()).policy;
      const now = Math.min(Date.now(), await readDatabaseClock(pool));
      const facts = { batches: await listRetentionBatches(pool), partitions: await listEventPartitions(pool) };
      const { cutoffs, due, held } = planRetention(facts, limits, now);
      const { archiveBucket, rawBucket } = config.storage;
      const measuring = { pool, keyStore, store, archiveBucket, limits, cutoffs };
      return {
        at: new Date(now).toISOString(),
        cut_offs: {
          staging: cutoffs.staging.toISOString(),
          raw: cutoffs.raw.toISOString(),
          events: cutoffs.events.toISOString(),
        },
        due: await measureDue(measuring, due),
        held: held.map(({ batchId, kinds, why, until }) => ({
          ...{ batch_id: batchId, kinds, why },
          until: until?.toISOString() ?? null,
        })),
        over_age: await findOverAge(pool, store, rawBucket, cutoffs.raw),
        last_run_at: (await getLastCompleteRetention(pool))?.toISOString() ?? null,
      };
    },
  );
}

/** `GET /v1/retention/runs/{run_id}`: a run, with the receipts of what it has deleted so far. */
export function addGetRetentionRun(server: ApiServer, context: ApiContext): void {
  server.get(
    '/v1/retention/runs/:run_id',
    {
      config: { role: 'any' },
      schema: {
        operationId: 'getRetentionRun',
        tags: ['retention'],
        summary: 'A run of retention with its receipts',
        params: Params,
        response: { 200: retentionRunSchema, ...problemAnswers(401, 404, 422) },
      },
    },
    ({ params }) => readRetentionRun(context.pool, params.run_id),
  );
}
