import { gzipSync } from 'node:zlib';
import { readEnvironment } from '@backfill/core/config/environment';
import { bookImportTime } from '@backfill/core/db/queries/import-pace';
import { DeferError } from '@backfill/core/errors';
import type { Service } from '@backfill/core/run-service';
import { createRuntime } from '@backfill/core/runtime/runtime';
import { createImporterService } from '@backfill/importer/service';
import { afterEach, expect, it, vi } from 'vitest';
import { ACCESS_WINDOW, accessLog } from '../support/access-log.ts';
import { batchDigest } from '../support/digest.ts';
import { type Pipeline, type PipelineOptions, startPipeline } from '../support/pipeline.ts';
import { runBatch } from '../support/run-batch.ts';
import { waitFor } from '../support/wait-for.ts';

// Whole batches, of which some wait for others.
vi.setConfig({ testTimeout: 120_000 });

let pipeline: Pipeline;
let later: Service[] = [];
afterEach(async () => {
  await Promise.all(later.map((service) => service.stop()));
  later = [];
  await pipeline.dispose();
});

async function start(options: PipelineOptions): Promise<void> {
  pipeline = await startPipeline(options);
}

async function startImporter(): Promise<void> {
  const importer = createImporterService(createRuntime(readEnvironment('importer', pipeline.env)));
  later.push(importer);
  await importer.start();
}

async function submit(batchId: string, files: Record<string, Buffer | string>): Promise<void> {
  await pipeline.upload(batchId, files);
  await pipeline.submit({ batchId, source: 'web-access', window: ACCESS_WINDOW });
}

async function ledger(batchId: string): Promise<{ ready: number; parts: number; open_chunks: number }> {
  const { rows } = await pipeline.sql.query(
    `select (select count(*)::int from analytics.backfill_import_parts where batch_id = $1 and state = 'ready') as ready,
            (select count(*)::int from analytics.backfill_import_parts where batch_id = $1) as parts,
            (select count(*)::int from analytics.backfill_raw_chunks where batch_id = $1 and state = 'open') as open_chunks`,
    [batchId],
  );
  return rows[0];
}

it('waits with transforming while no importer comes along, for as long as it takes, and lets other batches through', async () => {
  await start({ importers: 0, env: { TRANSFORMER_PART_LINES: '100', TRANSFORMER_PARTS_AHEAD: '5' } });
  await submit('large', { 'a.log.gz': gzipSync(accessLog(0, 3_000)) });
  await waitFor('the large batch to wait', async () => ((await ledger('large')).ready >= 5 ? true : undefined));
  // One transformer, with one job at a time: it plans, mirrors and transforms this in between.
  await submit('small', { 'a.log': accessLog(20_000, 20_050) });
  await waitFor('the small batch to be transformed', async () => {
    const { parts, open_chunks } = await ledger('small');
    return parts > 0 && open_chunks === 0 ? true : undefined;
  });
  expect(await ledger('large')).toEqual({ ready: 5, parts: 5, open_chunks: 1 });
  // A job that is put off costs no attempt, however often.
  await startImporter();
  const batches = [await pipeline.rest('small'), await pipeline.rest('large')];
  expect(batches.map(({ status, row_count }) => [status, row_count])).toEqual([
    ['awaiting_publish_approval', 50],
    ['awaiting_publish_approval', 3_000],
  ]);
});

it('gives a transformer that a huge file holds to a batch that waits, and goes on behind it', async () => {
  await start({
    importers: 1,
    env: { TRANSFORMER_PART_LINES: '100', TRANSFORMER_PARTS_AHEAD: '1000', TRANSFORMER_SLICE_MS: '0' },
  });
  // The third part behind the canary waits, so that the small batch is there when the large one is in its middle.
  const holder = await pipeline.sql.connect();
  await holder.query('select pg_advisory_lock(4712)');
  await pipeline.sql.query(
    `create function public.held() returns trigger language plpgsql as $$
     begin
       if new.batch_id = 'large' and new.part_no = 13 then perform pg_advisory_xact_lock(4712); end if;
       return new;
     end $$;
     create trigger held before insert on analytics.backfill_import_parts for each row execute function public.held()`,
  );
  await submit('large', { 'a.log.gz': gzipSync(accessLog(0, 8_000)) });
  await waitFor('the large batch to be held', async () => {
    const { rowCount } = await pipeline.sql.query(`select 1 from pg_locks where locktype = 'advisory' and not granted`);
    return rowCount === 0 ? undefined : true;
  });
  await submit('small', { 'a.log': accessLog(20_000, 20_050) });
  await waitFor('the small batch to wait for the transformer', async () => {
    const { rowCount } = await pipeline.sql.query(
      `select 1 from analytics.backfill_outbox where batch_id = 'small' and dispatched_at is not null`,
    );
    return rowCount === 0 ? undefined : true;
  });
  await holder.query('select pg_advisory_unlock(4712)');
  holder.release();
  expect((await pipeline.rest('small')).row_count).toBe(50);
  expect((await pipeline.rest('large')).row_count).toBe(8_000);
  const { rows } = await pipeline.sql.query(
    `select count(*)::int as parts from analytics.backfill_import_parts p
      where p.batch_id = 'large' and p.created_at < (
        select min(at) from analytics.backfill_audit_log where batch_id = 'small' and detail ->> 'to' = 'preparing')`,
  );
  // Of 80 parts.
  expect(rows[0].parts).toBeLessThan(20);
});

it('keeps all importers of a batch together within its rate', async () => {
  await start({ importers: 2 });
  const files = { 'a.log': accessLog(0, 4_000) };
  await runBatch(pipeline, 'free', files);
  const undisturbed = await batchDigest(pipeline.sql, 'free');
  await pipeline.change('free', 'awaiting_publish_approval', 'rolling_back');
  await pipeline.rest('free', ['rolled_back']);
  expect((await pipeline.sql.query('select 1 from analytics.backfill_import_pace')).rowCount).toBe(0);

  await pipeline.config.editPolicy((policy) => {
    policy.limits.import_events_per_second = 2_000;
  });
  const { rows: before } = await pipeline.sql.query('select clock_timestamp() as now');
  await runBatch(pipeline, 'paced', files);
  expect(await batchDigest(pipeline.sql, 'paced')).toEqual(undisturbed);
  const { rows } = await pipeline.sql.query(
    `select extract(epoch from next_at - $1)::float8 as booked from analytics.backfill_import_pace where batch_id = 'paced'`,
    [before[0].now],
  );
  // 4,000 events: the parts have booked two seconds one after the other, whoever imported them.
  expect(rows[0].booked).toBeGreaterThanOrEqual(2);
  const { rows: parts } = await pipeline.sql.query(
    `select max(line_count)::int as longest from analytics.backfill_import_parts where batch_id = 'paced'`,
  );
  expect(parts[0].longest).toBeLessThanOrEqual(2_000);

  // Of many that ask at once, one gets the time.
  const part = { batch_id: 'paced', event_count: 40_000 };
  await pipeline.sql.query('update analytics.backfill_import_pace set next_at = now()');
  const asked = await Promise.allSettled(
    Array.from({ length: 8 }, () => bookImportTime(pipeline.runtime.pool, part, 10)),
  );
  const refused = asked.filter((answer) => answer.status === 'rejected').map(({ reason }) => reason);
  expect(refused).toHaveLength(7);
  for (const error of refused) expect(error instanceof DeferError && error.delayMs > 3_900_000).toBe(true);
});
