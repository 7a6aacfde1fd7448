import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';

const RAW = path.join(import.meta.dirname, '../../examples/raw');
const WINDOW = { start: '2026-11-01T00:00:00Z', end: '2026-11-02T00:00:00Z' };

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await startPipeline();
});
afterAll(() => pipeline.dispose());

interface Expected {
  /** Events by name. */
  events: Record<string, number>;
  filtered: number;
  reasons: string[];
}

const SOURCES: [string, Expected][] = [
  [
    'app',
    {
      events: {
        feature_used: 1,
        feedback_sent: 1,
        page_viewed: 2,
        search_performed: 1,
        signup_completed: 1,
        signup_started: 1,
      },
      filtered: 2,
      reasons: ['parse: not_json', 'schema: /properties/feature must be equal to one of the allowed values'],
    },
  ],
  ['web-access', { events: { page_requested: 5 }, filtered: 2, reasons: ['parse: not_combined_log'] }],
  ['cdn', { events: { page_requested: 5 }, filtered: 3, reasons: ['parse: wrong_field_count'] }],
  [
    'product-archive',
    {
      events: { checkout_completed: 2, page_viewed: 1 },
      filtered: 1,
      reasons: ['schema_version: no_upcast', 'upcast: 1-0-0_2-0-0 failed'],
    },
  ],
  [
    'billing',
    {
      events: { invoice_paid: 3, subscription_cancelled: 1, subscription_started: 2 },
      filtered: 3,
      reasons: ['schema: /properties/amount_minor must be >= 0'],
    },
  ],
];

it.each(SOURCES)('the sample of %s becomes events', async (source, expected) => {
  const batchId = `sample-${source}`;
  await pipeline.upload(batchId, await readSamples(source));
  await pipeline.submit({ batchId, source, window: WINDOW });
  const { status, status_reason: why } = await pipeline.rest(batchId);
  expect([status, why]).toEqual(['awaiting_publish_approval', null]);

  const { rows: events } = await pipeline.sql.query(
    `select event_name, count(*)::int as count from analytics.events_backfill_staging
      where batch_id = $1 and not is_duplicate group by 1 order by 1`,
    [batchId],
  );
  expect(Object.fromEntries(events.map(({ event_name, count }) => [event_name, count]))).toEqual(expected.events);
  const { rows: quarantine } = await pipeline.sql.query(
    'select reason from analytics.backfill_quarantine where batch_id = $1',
    [batchId],
  );
  expect(quarantine.map(({ reason }) => reason).sort()).toEqual(expected.reasons);
  const { rows: counts } = await pipeline.sql.query(
    `select sum(filtered)::int as filtered from analytics.backfill_import_parts where batch_id = $1`,
    [batchId],
  );
  expect(counts).toEqual([{ filtered: expected.filtered }]);
});

it('lifts the archive’s old checkouts to the pinned version', async () => {
  const { rows } = await pipeline.sql.query(
    `select schema_version, payload #>> '{properties,amount_minor}' as amount from analytics.events_backfill_staging
      where batch_id = 'sample-product-archive' and event_name = 'checkout_completed' order by event_ts`,
  );
  expect(rows).toEqual([
    { schema_version: '2-0-0', amount: '4990' },
    { schema_version: '2-0-0', amount: '119900' },
  ]);
});

it('knows a person across sources, and keeps nothing personal of the samples', async () => {
  const { rows } = await pipeline.sql.query(
    `select count(distinct source)::int as sources from analytics.events_backfill_staging
      where subject_id = (select subject_id from analytics.events_backfill_staging
                           where batch_id = 'sample-billing' and event_name = 'invoice_paid' order by event_ts limit 1)`,
  );
  expect(rows).toEqual([{ sources: 3 }]);
  const { rows: payloads } = await pipeline.sql.query('select payload::text from analytics.events_backfill_staging');
  // A pseudonym may spell anything.
  const text = JSON.stringify(payloads).replaceAll(/p1_[\w-]{22}/g, 'pseudonym');
  expect(text).toContain('pseudonym');
  for (const personal of ['jane', 'JANE', 'Doe', 'muster', 'erika', '192.0.2.17', '2001:db8:17::5', 'u_100', 'utm_']) {
    expect(text).not.toContain(personal);
  }
});

async function readSamples(source: string): Promise<Record<string, Buffer>> {
  const folder = path.join(RAW, source);
  const names = await readdir(folder);
  const files = await Promise.all(
    names.map(async (name): Promise<[string, Buffer]> => [name, await readFile(path.join(folder, name))]),
  );
  return Object.fromEntries(files);
}
