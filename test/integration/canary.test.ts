import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { withTransaction } from '@backfill/core/db/transaction';
import { resumeBatch } from '@backfill/core/dispatch/resume-batch';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { ACCESS_WINDOW, accessLine, accessLog } from '../support/access-log.ts';
import { batchDigest } from '../support/digest.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { runBatch } from '../support/run-batch.ts';
import { waitFor } from '../support/wait-for.ts';

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await startPipeline({ importers: 2, env: { TRANSFORMER_CHUNK_BYTES: '60000' } });
});
afterAll(() => pipeline.dispose());
// What a test has planted is gone for the next one; each has its own rows of the log.
beforeEach(async () => {
  await pipeline.sql.query('drop trigger if exists planted on analytics.events_backfill_staging');
  await pipeline.sql.query('drop trigger if exists planted on analytics.backfill_quarantine');
});

interface CanaryPart {
  source_file: string;
  first_line: number;
  lines: number;
  events: number;
}

async function canaryParts(batchId: string): Promise<CanaryPart[]> {
  const { rows } = await pipeline.sql.query<CanaryPart>(
    `select f.source_file, p.first_line::int, p.line_count::int as lines, p.event_count::int as events
       from analytics.backfill_import_parts p join analytics.backfill_files f using (batch_id, file_no)
      where p.batch_id = $1 and p.is_canary order by p.part_id`,
    [batchId],
  );
  return rows;
}

/** The day before: what such a line says is outside of the batch's window. */
const otherDay = (from: number, to: number) => accessLog(from, to).replaceAll('01/Nov/2026', '31/Oct/2026');
const total = (parts: readonly CanaryPart[], what: 'lines' | 'events') =>
  parts.reduce((sum, part) => sum + part[what], 0);

/** Has the database do something to each row that is written, as a fault of the software would. */
async function plant(table: string, body: string): Promise<void> {
  await pipeline.sql.query(
    `create or replace function public.planted() returns trigger language plpgsql as $$ ${body} $$`,
  );
  await pipeline.sql.query(
    `create trigger planted before insert on analytics.${table} for each row execute function public.planted()`,
  );
}

it('lets exactly the first 1,000 events through alone, whatever else is between them', async () => {
  const mixed = Array.from({ length: 5_000 }, (_, n) => (n % 10 === 3 ? 'no access log' : accessLine(n))).join('\n');
  const batch = await runBatch(pipeline, 'mixed', { 'a.log': mixed });
  expect([batch.status, batch.canary_passed]).toEqual(['awaiting_publish_approval', true]);
  const parts = await canaryParts('mixed');
  expect([parts.length > 1, total(parts, 'events')]).toEqual([true, 1_000]);
  // The stretches follow each other: none is left out, none taken twice.
  expect(parts.map((part) => part.first_line)).toEqual(parts.map((_, n) => 1 + total(parts.slice(0, n), 'lines')));
  const { rows } = await pipeline.sql.query(
    `select from_ ->> 'to' as status from analytics.backfill_audit_log, lateral (select detail as from_) d
      where batch_id = 'mixed' and action = 'status' order by audit_id`,
  );
  expect(rows.map(({ status }) => status)).toEqual(expect.arrayContaining(['canary', 'importing', 'verifying']));
});

it('imports nothing but the canary while it is one', async () => {
  await plant(
    'events_backfill_staging',
    `begin
       if (select status = 'canary' from analytics.backfill_batches where batch_id = 'alone')
          and not (select is_canary from analytics.backfill_import_parts where part_id = new.part_id) then
         raise exception 'not of the canary';
       end if;
       return new;
     end`,
  );
  const batch = await runBatch(pipeline, 'alone', {
    'a.log': accessLog(5_000, 9_000),
    'b.log.gz': gzipSync(accessLog(9_000, 12_000)),
  });
  expect([batch.status, batch.status_reason]).toEqual(['awaiting_publish_approval', null]);
});

it('takes the canary from the next chunks and files when the first ones hold too little', async () => {
  const files = {
    'a.log': otherDay(12_000, 14_000),
    'b.log': accessLog(14_000, 14_300),
    'c.log.gz': gzipSync(otherDay(14_300, 15_000) + accessLog(15_000, 17_000)),
    'd.log': accessLog(17_000, 18_000),
  };
  const batch = await runBatch(pipeline, 'spread', files);
  expect([batch.status, batch.canary_passed]).toEqual(['awaiting_publish_approval', true]);
  const parts = await canaryParts('spread');
  expect(new Set(parts.map((part) => part.source_file))).toEqual(new Set(['a.log', 'b.log', 'c.log.gz']));
  expect(total(parts, 'events')).toBeGreaterThanOrEqual(1_000);
  expect(total(parts, 'events')).toBeLessThan(2_000);
  expect(batch.row_count).toBe(3_300);
  // In the order of files and lines: nothing else stands before the canary's end.
  const { rows } = await pipeline.sql.query(
    `select string_agg(case when p.is_canary then 'c' else '-' end, '' order by c.chunk_no, p.part_no) as order_
       from analytics.backfill_import_parts p join analytics.backfill_raw_chunks c using (chunk_id)
      where p.batch_id = 'spread'`,
  );
  expect(rows[0].order_).toMatch(/^c+-+$/);
});

it('ends with the input when that holds less, and passes with nothing for the gates to judge', async () => {
  const small = await runBatch(pipeline, 'small', { 'a.log': accessLog(20_000, 20_030) });
  expect([small.status, small.canary_passed, small.row_count]).toEqual(['awaiting_publish_approval', true, 30]);
  const none = await runBatch(pipeline, 'none', { 'a.log': otherDay(0, 3_000), 'b.log': otherDay(3_000, 3_010) });
  expect([none.status, none.canary_passed]).toEqual(['gates_failed', true]);
  expect(none.status_reason).toMatch('no line became an event');
});

it('halts on rows that are not as the taxonomy says', async () => {
  await plant('events_backfill_staging', `begin new.schema_version := '9-9-9'; return new; end`);
  const batch = await runBatch(pipeline, 'schema', { 'a.log': accessLog(20_100, 23_000) });
  expect([batch.status, batch.canary_passed]).toEqual(['halted', false]);
  expect(batch.status_reason).toMatch(
    /^canary: events are not as the taxonomy says: schema: the event is not in the recipe \(1000 events\)\. .*rollback schema/,
  );
});

it('halts on a balance that does not add up', async () => {
  await plant('backfill_quarantine', `begin if new.line_no = 7 then return null; end if; return new; end`);
  const lines = accessLog(23_000, 26_000).split('\n');
  const batch = await runBatch(pipeline, 'balance', { 'a.log': lines.toSpliced(5, 2, 'bad', 'worse').join('\n') });
  expect([batch.status, batch.canary_passed]).toEqual(['halted', false]);
  expect(batch.status_reason).toMatch('2 quarantined lines were counted and 1 are stored');
});

it('halts on mass repeats', async () => {
  // As a source that may deliver a record twice.
  const setIdentity = (identity: string) =>
    pipeline.config.editSource('web-access', (source) => {
      source.identity = identity;
    });
  await setIdentity('payload');
  const repeated = accessLog(26_000, 26_800) + accessLog(26_000, 28_000);
  const batch = await runBatch(pipeline, 'repeats', { 'a.log': repeated });
  await setIdentity('payload+occurrence');
  expect([batch.status, batch.canary_passed]).toEqual(['halted', false]);
  expect(batch.status_reason).toMatch('200 of 1000 events repeat each other');
});

it('halts on personal data that a rule has let through, names place and kind, and goes on under a new plan', async () => {
  const schemaFile = path.join(pipeline.config.dir, 'taxonomy/events/page_requested/1-0-0.schema.json');
  const before = await readFile(schemaFile, 'utf8');
  const schema = JSON.parse(before) as { properties: Record<string, Record<string, unknown>> };
  const [name] = Object.entries(schema.properties).find(([, rule]) => rule['x-pii'] === 'url') ?? [];
  expect(name).toBeDefined();
  schema.properties[String(name)] = { ...schema.properties[String(name)], 'x-pii': 'none' };
  await writeFile(schemaFile, JSON.stringify(schema));
  const log = accessLog(30_000, 33_000).replace('/page/30005', '/u/jane.doe@example.org');
  const batch = await runBatch(pipeline, 'leak', { 'a.log': log });
  await writeFile(schemaFile, before);
  expect([batch.status, batch.canary_passed]).toEqual(['halted', false]);
  expect(batch.status_reason).toMatch(`personal data was let through: email at /properties/${name} (1 events)`);
  expect(batch.status_reason).not.toMatch('jane');

  // A resume alone changes nothing: the recipe is pinned.
  await resume('leak');
  expect((await pipeline.rest('leak', ['halted'])).status_reason).toBe(batch.status_reason);
  await pipeline.change('leak', 'halted', 'rolling_back');
  await pipeline.rest('leak', ['rolled_back']);
  await resume('leak');
  const again = await pipeline.rest('leak');
  expect([again.status, again.canary_passed, again.row_count]).toEqual(['awaiting_publish_approval', true, 3_000]);
});

const resume = (batchId: string) =>
  withTransaction(pipeline.runtime.pool, 'test', (client) => resumeBatch(client, batchId));

it('goes on to the same rows when it is stopped between its parts', async () => {
  const lines = accessLog(40_000, 44_000).split('\n');
  const files = { 'a.log': lines.toSpliced(100, 50, ...new Array<string>(50).fill('bad')).join('\n') };
  await runBatch(pipeline, 'smooth', files);
  const undisturbed = await batchDigest(pipeline.sql, 'smooth');
  await pipeline.change('smooth', 'awaiting_publish_approval', 'rolling_back');
  await pipeline.rest('smooth', ['rolled_back']);

  // The second part of the canary waits for this lock, before it is written.
  const holder = await pipeline.sql.connect();
  await holder.query('select pg_advisory_lock(4711)');
  await pipeline.sql.query(
    `create or replace function public.held() returns trigger language plpgsql as $$
     begin
       if new.is_canary and new.first_line > 1 then perform pg_advisory_xact_lock(4711); end if;
       return new;
     end $$`,
  );
  await pipeline.sql.query(
    'create trigger held before insert on analytics.backfill_import_parts for each row execute function public.held()',
  );
  await pipeline.upload('bumpy', files);
  await pipeline.submit({ batchId: 'bumpy', source: 'web-access', window: ACCESS_WINDOW });
  await pipeline.rest('bumpy', ['canary']);
  await waitFor('the second part to be held', async () => {
    const { rowCount } = await pipeline.sql.query(`select 1 from pg_locks where locktype = 'advisory' and not granted`);
    return rowCount === 0 ? undefined : true;
  });
  await pipeline.sql.query(`update analytics.backfill_batches set status = 'halted' where batch_id = 'bumpy'`);
  await resume('bumpy');
  await holder.query('select pg_advisory_unlock(4711)');
  holder.release();
  const batch = await pipeline.rest('bumpy');
  await pipeline.sql.query('drop trigger held on analytics.backfill_import_parts');
  expect([batch.status, batch.canary_passed]).toEqual(['awaiting_publish_approval', true]);
  expect(await batchDigest(pipeline.sql, 'bumpy')).toEqual(undisturbed);
});
