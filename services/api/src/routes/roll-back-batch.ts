import type { Client } from '@backfill/core/db/pool';
import type { BatchRow } from '@backfill/core/db/queries/batch-get';
import { setRollbackMode } from '@backfill/core/db/queries/batch-set-status';
import { listRollbacks } from '@backfill/core/db/queries/batch-view-rollback-list';
import { enqueueOpenWork } from '@backfill/core/dispatch/change-status';
import { BATCH_STATUSES } from '@backfill/core/domain/batch-status';
import { ROLLBACK_MODES, type RollbackMode } from '@backfill/core/domain/rollback-mode';
import { formatQuantity } from '@backfill/core/text/format-number';
import { z } from 'zod';
import type { ApiServer } from '../api-server.ts';
import { changeBatch, moveBatch } from '../change-batch.ts';
import type { ApiContext } from '../context.ts';
import { Problem } from '../problem.ts';
import { readBatchDetail } from '../read-batch-view.ts';
import { BatchParams } from '../schemas/batch-params.ts';
import { BatchDetail } from '../schemas/batch-view.ts';
import { problemAnswers } from '../schemas/problem-answers.ts';

const Body = z.strictObject({
  mode: z
    .enum(ROLLBACK_MODES)
    .describe(
      'tombstone: all events of the batch; window: those in its window; snapshot: all, and what was live in its window ' +
        'before it was published comes back',
    ),
});

const CAN_ROLL_BACK = BATCH_STATUSES.filter((status) => status !== 'rolling_back' && status !== 'rolled_back');

/** @throws {Problem} 409 when the batch was rolled back in a way that does not do what is asked for now */
async function requireDone(client: Client, batchId: string, asked: RollbackMode): Promise<void> {
  const [done] = await listRollbacks(client, [batchId]);
  if (done === undefined) return;
  if (asked === 'snapshot' && done.mode !== 'snapshot') {
    throw new Problem(
      'conflict',
      `The batch was rolled back already, by the mode ${done.mode}. resume starts it anew.`,
    );
  }
  if (asked === 'tombstone' && done.left_outside > 0) {
    throw new Problem(
      'conflict',
      `The batch was rolled back already, and ${formatQuantity(done.left_outside, 'row')} outside of its window left live: ` +
        `psql -f scripts/backfill_apply_tombstones.sql --set batch_id=${batchId} takes those too.`,
    );
  }
}

/** Asks for the rollback, or for another mode of one that is under way: the last wish counts. */
async function askForRollback(client: Client, batch: BatchRow, mode: RollbackMode, actor: string): Promise<void> {
  if (batch.replaced_by !== null) {
    throw new Problem(
      'conflict',
      `The batch was replaced by ${batch.replaced_by}, and nothing of it is live. Roll ${batch.replaced_by} back first, ` +
        'which brings its rows back.',
    );
  }
  const reason = `${mode}, asked for by ${actor}`;
  const isUnderWay = batch.status === 'rolling_back';
  if (isUnderWay && (batch.rollback_mode ?? 'tombstone') === mode) return;
  await setRollbackMode(client, batch.batch_id, mode, reason);
  if (isUnderWay) await enqueueOpenWork(client, { ...batch, rollback_mode: mode });
  else await moveBatch(client, batch, { from: CAN_ROLL_BACK, to: 'rolling_back', reason });
}

/**
 * `POST /v1/batches/{batch_id}/rollback`: takes a batch back, from wherever it is. The proof is the `rollback` of the
 * batch once it is done; a batch that is rolled back answers 200 with it.
 */
export function addRollBackBatch(server: ApiServer, context: ApiContext): void {
  server.post(
    '/v1/batches/:batch_id/rollback',
    {
      config: { role: 'operator' },
      schema: {
        operationId: 'rollBackBatch',
        tags: ['batches'],
        summary: 'Take a batch back',
        params: BatchParams,
        body: Body,
        response: { 200: BatchDetail, 202: BatchDetail, ...problemAnswers(401, 403, 404, 409, 422) },
      },
    },
    async ({ params, body, caller }, reply) => {
      const isDone = await changeBatch(context, caller, params.batch_id, async (client, batch) => {
        const isRolledBack = batch.status === 'rolled_back';
        if (isRolledBack) await requireDone(client, batch.batch_id, body.mode);
        else await askForRollback(client, batch, body.mode, caller.actor);
        return isRolledBack;
      });
      reply.code(isDone ? 200 : 202);
      return readBatchDetail(context.pool, params.batch_id);
    },
  );
}
