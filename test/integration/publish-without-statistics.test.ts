import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventLine, WINDOW } from '../support/app-events.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { waitFor } from '../support/wait-for.ts';

// The rows that a publish has just written are not in the statistics: those know live rows only, and so PostgreSQL expects none.
const EVENTS = 40_000;
let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await startPipeline();
});
afterAll(() => pipeline.dispose());

it('does not go through all rows for each row when one of them became live', async () => {
  await pipeline.sql.query(`select analytics.ensure_event_day($1::date)`, [WINDOW.start]);
  await pipeline.sql.query(
    `insert into analytics.events (event_id, source, event_name, schema_version, event_ts, payload)
     select 'live-' || n, 'other', 'n', '1-0-0', $1::timestamptz + n * interval '1 ms', '{}' from generate_series(1, 50000) n`,
    [WINDOW.start],
  );
  await pipeline.sql.query('analyze analytics.events_log');
  const lines = Array.from({ length: EVENTS }, (_, number) => `${eventLine(number)}\n`);
  await pipeline.upload('large', { 'a.ndjson': lines.join('') });
  await pipeline.submit({ batchId: 'large', source: 'app', window: WINDOW });
  await pipeline.rest('large', ['awaiting_publish_approval']);
  await pipeline.sql.query(
    `insert into analytics.events
       (event_id, source, event_name, schema_version, event_ts, session_id, subject_id, payload)
     select event_id, source, event_name, schema_version, event_ts, session_id, subject_id, payload
       from analytics.events_backfill_staging where batch_id = 'large' order by event_id limit 1`,
  );
  await pipeline.change('large', 'awaiting_publish_approval', 'publishing');
  const batch = await pipeline.rest('large', ['published', 'verifying', 'halted', 'failed']);
  expect(batch).toMatchObject({ status: 'published', row_count: EVENTS - 1 });
}, 120_000);

it('does not go through all rows for each lost one to write a report', async () => {
  const lines = Array.from({ length: EVENTS }, (_, number) => `${eventLine(number)}\n`);
  await pipeline.upload('twin', { 'a.ndjson': lines.join('') });
  await pipeline.submit({ batchId: 'twin', source: 'app', window: WINDOW });
  await pipeline.rest('twin', ['gates_failed']);
  await waitFor('the report to be written', async () => {
    const { rows } = await pipeline.sql.query(`select 1 from analytics.backfill_outbox where batch_id = 'twin'`);
    return rows.length === 0 ? true : undefined;
  });
}, 120_000);
