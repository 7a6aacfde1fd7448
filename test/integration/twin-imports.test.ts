import type { PartJob } from '@backfill/core/contracts/transformed-events';
import { StaleWorkError } from '@backfill/core/errors';
import { importPart } from '@backfill/importer/jobs/import-part';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ACCESS_WINDOW, accessLog } from '../support/access-log.ts';
import { KEY_LAYOUTS, type KeyLayout } from '../support/environment.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { waitFor } from '../support/wait-for.ts';

// The same job runs twice at once: BullMQ took one worker for dead. Importers are called by hand here.
const EVENTS = 200;
const pipelines = new Map<KeyLayout, Pipeline>();
beforeAll(async () => {
  for (const layout of KEY_LAYOUTS) pipelines.set(layout, await startPipeline({ layout, importers: 0 }));
});
afterAll(async () => {
  for (const pipeline of pipelines.values()) await pipeline.dispose();
});

it.each(KEY_LAYOUTS)('imports a part once when both have found it open, with keys %s', async (layout) => {
  const pipeline = pipelines.get(layout) as Pipeline;
  const { sql, runtime } = pipeline;
  await pipeline.upload('twice', { 'a.log': accessLog(0, EVENTS) });
  await pipeline.submit({ batchId: 'twice', source: 'web-access', window: ACCESS_WINDOW });
  const job = await waitFor('the part to be ready', async () => {
    const { rows } = await sql.query<{ payload: PartJob }>(
      `select payload from analytics.backfill_outbox where batch_id = 'twice' and kind = 'canary'`,
    );
    return rows[0]?.payload;
  });

  const holder = await sql.connect();
  await holder.query('begin');
  await holder.query('select 1 from analytics.backfill_import_parts where part_id = $1 for update', [job.part_id]);
  const { signal } = new AbortController();
  const runs = Promise.allSettled([1, 2].map(() => importPart(runtime, job, signal)));
  await waitFor('both to wait for the part', async () => {
    const { rows } = await sql.query(
      `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    return rows.length === 2 ? true : undefined;
  });
  await holder.query('commit');
  holder.release();

  const failures = (await runs).flatMap((run) => (run.status === 'rejected' ? [run.reason] : []));
  // Not put off, and not found out by a constraint: told that the work is done.
  expect(failures).toEqual([expect.any(StaleWorkError)]);
  const staged = await sql.query('select count(*) as rows from analytics.events_backfill_staging');
  expect(staged.rows).toEqual([{ rows: String(EVENTS) }]);
});
