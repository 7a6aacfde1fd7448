import { getBatch } from '@backfill/core/db/queries/batch-get';
import { withTransaction } from '@backfill/core/db/transaction';
import { resumeBatch } from '@backfill/core/dispatch/resume-batch';
import { StaleWorkError } from '@backfill/core/errors';
import { tombstoneBatch } from '@backfill/rollback/jobs/take-batch-back';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { accessLog } from '../support/access-log.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { runBatch } from '../support/run-batch.ts';
import { waitFor } from '../support/wait-for.ts';

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await startPipeline();
});
afterAll(() => pipeline.dispose());

it('does not take back the next attempt when the job of a finished rollback comes again beside the resume', async () => {
  const { sql, runtime } = pipeline;
  await runBatch(pipeline, 'again', { 'a.log': accessLog(0, 50) });
  await pipeline.change('again', 'awaiting_publish_approval', 'rolling_back');
  const { batch_no, epoch } = await pipeline.rest('again', ['rolled_back']);
  const job = { v: 1 as const, batch_id: 'again', batch_no, epoch };
  // Over with nothing done, as long as nobody has resumed it.
  await tombstoneBatch(runtime, job);

  let late: Promise<unknown> = Promise.resolve();
  await withTransaction(runtime.pool, 'test', async (client) => {
    await resumeBatch(client, 'again');
    late = tombstoneBatch(runtime, job).catch((error: unknown) => error);
    await waitFor('the late job to wait for the resume', async () => {
      const { rows } = await sql.query(
        `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return rows.length > 0 ? true : undefined;
    });
  });
  expect(await late).toBeInstanceOf(StaleWorkError);
  await pipeline.rest('again', ['awaiting_publish_approval']);
  expect((await getBatch(runtime.pool, 'again'))?.attempt).toBe(2);
});
