import { getBatch } from '@backfill/core/db/queries/batch-get';
import { insertOutboxEntries } from '@backfill/core/db/queries/outbox-insert-many';
import { beginOutboxRun } from '@backfill/core/db/queries/outbox-run';
import { withTransaction } from '@backfill/core/db/transaction';
import { batchEntry } from '@backfill/core/dispatch/outbox-entries';
import { resumeBatch } from '@backfill/core/dispatch/resume-batch';
import { MOST_LOST_RUNS, watchRun } from '@backfill/core/runtime/watch-runs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ACCESS_WINDOW, accessLog } from '../support/access-log.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { startServiceProcess } from '../support/service-process.ts';
import { waitFor } from '../support/wait-for.ts';

// A job over which its process dies, every time. Importers are processes here.
let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await startPipeline({ importers: 0, env: { BACKFILL_JOB_LOCK_MS: '1000' } });
});
afterAll(() => pipeline.dispose());

const outbox = async (batchId: string) =>
  (
    await pipeline.sql.query<{ job_id: string; runs_begun: number }>(
      'select job_id, runs_begun from analytics.backfill_outbox where batch_id = $1',
      [batchId],
    )
  ).rows;

/** One part, and so one job of the importer. */
async function submit(batchId: string, from: number): Promise<string> {
  await pipeline.upload(batchId, { 'a.log': accessLog(from, from + 100) });
  await pipeline.submit({ batchId, source: 'web-access', window: ACCESS_WINDOW });
  return waitFor(
    'the part to be ready',
    async () => (await outbox(batchId)).find(({ job_id }) => job_id.startsWith('canary_'))?.job_id,
  );
}

it('halts the batch, names the job and raises an incident, and goes on when a person says so', async () => {
  const jobId = await submit('poisoned', 0);
  for (const _death of [1, 2]) {
    const importer = startServiceProcess('importer', pipeline.env, 'import:claimed');
    expect(await importer.ended).toBe('SIGKILL');
  }
  expect(await outbox('poisoned')).toEqual([{ job_id: jobId, runs_begun: 2 }]);
  // As many more, without the wait for them.
  await pipeline.sql.query('update analytics.backfill_outbox set runs_begun = $1', [MOST_LOST_RUNS]);

  const importer = startServiceProcess('importer', pipeline.env);
  const halted = await pipeline.rest('poisoned', ['halted']);
  expect(halted.status_reason).toContain(`the process that ran the job ${jobId} died ${MOST_LOST_RUNS} times in a row`);
  const incidents = await pipeline.sql.query('select batch_id, kind, summary from analytics.backfill_incidents');
  expect(incidents.rows).toEqual([{ batch_id: 'poisoned', kind: 'crash_loop', summary: halted.status_reason }]);

  await withTransaction(pipeline.runtime.pool, 'test', (client) => resumeBatch(client, 'poisoned'));
  await pipeline.rest('poisoned', ['awaiting_publish_approval']);
  await importer.end('SIGTERM');
});

it('tells of a report that cannot be written, once', async () => {
  const importer = startServiceProcess('importer', pipeline.env);
  await submit('unreported', 300);
  await pipeline.rest('unreported', ['awaiting_publish_approval']);
  await importer.end('SIGTERM');
  const { pool } = pipeline.runtime;
  await waitFor('its report', async () => ((await outbox('unreported')).length === 0 ? true : undefined));
  const batch = await getBatch(pool, 'unreported');
  const entry = batch && batchEntry(batch);
  if (entry === undefined) throw new Error('no report is called for');
  const incidents = async () =>
    (await pipeline.sql.query(`select kind from analytics.backfill_incidents where batch_id = 'unreported'`)).rows;
  for (const _time of [1, 2]) {
    await withTransaction(pool, 'test', async (client) => {
      await insertOutboxEntries(client, [{ ...entry, jobId: `${entry.jobId}_again` }]);
      // With its one file in the mirror.
      await client.query(
        `update analytics.backfill_outbox set runs_begun = $1, run_progress = 1 where batch_id = 'unreported'`,
        [MOST_LOST_RUNS],
      );
    });
    // The count begins anew, and so the next run may write it.
    await waitFor('its report', async () => ((await outbox('unreported')).length === 0 ? true : undefined));
    expect(await incidents()).toEqual([{ kind: 'crash_loop' }]);
  }
  expect((await getBatch(pool, 'unreported'))?.status).toBe('awaiting_publish_approval');
});

it('counts deaths in a row only: neither runs that ended, in whatever way, nor runs that got the work on', async () => {
  const jobId = await submit('killed', 100);
  const { pool, logger } = pipeline.runtime;
  const run = (end: () => Promise<void>) =>
    watchRun({ pool, logger }, { jobId, kind: 'canary', attempt: 1, signal: new AbortController().signal }, end);
  const begin = async () => (await beginOutboxRun(pool, jobId))?.lost;

  expect([await begin(), await begin(), await begin()]).toEqual([0, 1, 2]);
  await expect(run(() => Promise.reject(new Error('it threw')))).rejects.toThrow('it threw');
  expect([await begin(), await begin()]).toEqual([0, 1]);

  await pipeline.sql.query(`update analytics.backfill_files set mirrored_at = null where batch_id = 'killed'`);
  expect([await begin(), await begin()]).toEqual([0, 1]);
  await pipeline.sql.query(`update analytics.backfill_files set mirrored_at = now() where batch_id = 'killed'`);
  expect(await begin()).toBe(0);
  expect(await beginOutboxRun(pool, 'a job that nobody has written down')).toBeUndefined();
});
