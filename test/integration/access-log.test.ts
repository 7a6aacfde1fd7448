import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await startPipeline();
});
afterAll(() => pipeline.dispose());

const window = { start: '2026-11-01T00:00:00Z', end: '2026-11-02T00:00:00Z' };
const line = (second: number, path = '/') =>
  `192.0.2.7 - - [01/Nov/2026:10:00:${String(second).padStart(2, '0')} +0000] "GET ${path} HTTP/1.1" 200 12 "-" "curl/8"`;

it('takes an access log from raw lines to published rows and back', async () => {
  const lines = Array.from({ length: 50 }, (_, second) => line(second));
  await pipeline.upload('b1', { 'access.log': `${[...lines, 'not a log line'].join('\n')}\n` });
  await pipeline.submit({ batchId: 'b1', source: 'web-access', window });
  const verified = await pipeline.rest('b1');
  expect([verified.status, verified.status_reason]).toEqual(['awaiting_publish_approval', null]);

  await pipeline.change('b1', 'awaiting_publish_approval', 'publishing');
  const published = await pipeline.rest('b1', ['published']);
  expect(published.row_count).toBe(50);
  const { rows } = await pipeline.sql.query('select count(*)::int as live from analytics.events');
  expect(rows).toEqual([{ live: 50 }]);
  const quarantine = await pipeline.sql.query('select source_file, line_no, reason from analytics.backfill_quarantine');
  expect(quarantine.rows).toEqual([
    { source_file: 'access.log', line_no: '51', reason: expect.stringMatching(/^parse:/) },
  ]);

  await pipeline.change('b1', 'published', 'rolling_back');
  await pipeline.rest('b1', ['rolled_back']);
  const after = await pipeline.sql.query(
    `select (select count(*)::int from analytics.events) as live,
            (select count(*)::int from analytics.backfill_event_checkpoint) as keys`,
  );
  expect(after.rows).toEqual([{ live: 0, keys: 0 }]);
});
