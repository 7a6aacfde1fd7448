import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';

const WINDOW = { start: '2026-11-01T00:00:00Z', end: '2026-11-02T00:00:00Z' };
const SOURCE = 'product-archive';
const UPCAST = 'taxonomy/upcasts/checkout_completed/1-0-0_2-0-0.mjs';

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await startPipeline();
});
afterAll(() => pipeline.dispose());

/** Checkouts of version 1, which the source lifts to version 2. */
function oldCheckouts(count: number): string {
  return Array.from({ length: count }, (_, index) => {
    const uuid = `0199f000-0000-7000-8000-${String(index).padStart(12, '0')}`;
    const properties = { plan: 'team', amount: index + 0.5, currency: 'EUR' };
    const event = { uuid, event: 'checkout completed', distinct_id: 'u_1', timestamp: WINDOW.start, properties };
    return `${JSON.stringify(event)}\n`;
  }).join('');
}

async function plan(batchId: string): Promise<void> {
  await pipeline.config.editPolicy((policy) => {
    policy.approvals.run = ['data_privacy_officer'];
  });
  await pipeline.upload(batchId, { 'a.jsonl': oldCheckouts(20) });
  await pipeline.submit({ batchId, source: SOURCE, window: WINDOW });
  await pipeline.rest(batchId, ['awaiting_run_approval']);
}

async function outcomeOf(batchId: string) {
  const { rows: events } = await pipeline.sql.query(
    `select schema_version, (payload #>> '{properties,amount_minor}')::int as amount
       from analytics.events_backfill_staging where batch_id = $1 order by 2`,
    [batchId],
  );
  const { rows: reasons } = await pipeline.sql.query(
    'select reason, count(*)::int from analytics.backfill_quarantine where batch_id = $1 group by 1',
    [batchId],
  );
  return { events, reasons };
}

it('lifts with the text that was pinned by the plan, whatever the file says since', async () => {
  await plan('pinned');
  const file = path.join(pipeline.config.dir, UPCAST);
  await writeFile(file, 'export function upcast(properties) {\n  throw new Error(JSON.stringify(properties));\n}\n');
  await pipeline.change('pinned', 'awaiting_run_approval', 'preparing');
  await pipeline.rest('pinned', ['awaiting_publish_approval', 'publishing', 'published']);
  const expected = Array.from({ length: 20 }, (_, index) => ({ schema_version: '2-0-0', amount: index * 100 + 50 }));
  expect(await outcomeOf('pinned')).toEqual({ events: expected, reasons: [] });

  await plan('later');
  await pipeline.change('later', 'awaiting_run_approval', 'preparing');
  await pipeline.rest('later');
  expect(await outcomeOf('later')).toEqual({
    events: [],
    reasons: [{ reason: 'upcast: 1-0-0_2-0-0 failed', count: 20 }],
  });
});
