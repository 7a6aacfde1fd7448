import { readEnvironment, type ServiceName } from '@backfill/core/config/environment';
import { createRuntime } from '@backfill/core/runtime/runtime';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ACCESS_WINDOW, accessLine, accessLog } from '../support/access-log.ts';
import { createConfigDir } from '../support/config-dir.ts';
import { batchDigest } from '../support/digest.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { runBatch } from '../support/run-batch.ts';
import { type ServiceProcess, startServiceProcess } from '../support/service-process.ts';
import { waitFor } from '../support/wait-for.ts';

// Importers and transformers are processes here, started and ended at any time; the rest runs in this one.
let pipeline: Pipeline;
const processes: ServiceProcess[] = [];
beforeAll(async () => {
  pipeline = await startPipeline({
    ...{ transformers: 0, importers: 0 },
    env: { TRANSFORMER_PART_LINES: '100', TRANSFORMER_CHUNK_BYTES: '50000' },
  });
  await pipeline.config.editPolicy((policy) => {
    Object.assign(policy.gates.default, { duplicate_ratio: 1, max_overlap: 1 });
  });
});
afterAll(async () => {
  await Promise.all(processes.map((process) => process.end('SIGKILL')));
  await pipeline.dispose();
});

function add(service: ServiceName): ServiceProcess {
  const started = startServiceProcess(service, pipeline.env);
  processes.push(started);
  return started;
}

const count = (what: string, sql: string) =>
  waitFor(what, async () => ((await pipeline.sql.query(sql)).rowCount === 0 ? undefined : true));

const imported = (batchId: string, parts: number) =>
  count(
    `${parts} parts of ${batchId}`,
    `select 1 from analytics.backfill_import_parts where batch_id = '${batchId}' and state = 'imported'
     having count(*) >= ${parts}`,
  );

/** The rows of a batch that nothing happens to; taken back, so that the same input can be imported again. */
async function undisturbedRun(batchId: string, files: Record<string, string>): Promise<Record<string, unknown>> {
  await runBatch(pipeline, batchId, files);
  const digest = await batchDigest(pipeline.sql, batchId);
  await pipeline.change(batchId, 'awaiting_publish_approval', 'rolling_back');
  await pipeline.rest(batchId, ['rolled_back']);
  return digest;
}

async function submit(batchId: string, files: Record<string, string>): Promise<void> {
  await pipeline.upload(batchId, files);
  await pipeline.submit({ batchId, source: 'web-access', window: ACCESS_WINDOW });
}

it('gives the same rows with 1, 2 and 4 importers that come and go', async () => {
  const repeats = accessLine(7).concat('\n').repeat(20);
  const files = { 'a.log': accessLog(0, 5_000) + repeats, 'b.log': accessLog(4_000, 9_000) };
  add('transformer');
  const first = add('importer');
  const undisturbed = await undisturbedRun('smooth', files);

  await submit('bumpy', files);
  await imported('bumpy', 12);
  const second = add('importer');
  await imported('bumpy', 20);
  await first.end('SIGKILL');
  const [third] = [add('importer'), add('importer'), add('importer')];
  await imported('bumpy', 40);
  await second.end('SIGTERM');
  await third?.end('SIGKILL');
  const batch = await pipeline.rest('bumpy');
  expect([batch.status, batch.status_reason, batch.row_count]).toEqual(['awaiting_publish_approval', null, 9_020]);
  expect(await batchDigest(pipeline.sql, 'bumpy')).toEqual(undisturbed);
}, 180_000);

it('goes on with the canary where a killed transformer left it', async () => {
  const lines = accessLog(20_000, 24_000).split('\n');
  const files = { 'a.log': lines.toSpliced(100, 50, ...new Array<string>(50).fill('bad')).join('\n') };
  const undisturbed = await undisturbedRun('whole', files);
  await Promise.all(processes.splice(0).map((process) => process.end('SIGKILL')));
  add('importer');

  // The sixth part of the canary waits for this lock, before it is written.
  const holder = await pipeline.sql.connect();
  await holder.query('select pg_advisory_lock(4713)');
  await pipeline.sql.query(
    `create function public.held() returns trigger language plpgsql as $$
     begin
       if new.is_canary and new.first_line = 501 then perform pg_advisory_xact_lock(4713); end if;
       return new;
     end $$;
     create trigger held before insert on analytics.backfill_import_parts for each row execute function public.held()`,
  );
  const transformer = add('transformer');
  await submit('killed', files);
  await count('the transformer to be held', `select 1 from pg_locks where locktype = 'advisory' and not granted`);
  await transformer.end('SIGKILL');
  await holder.query('select pg_advisory_unlock(4713)');
  holder.release();
  add('transformer');
  const batch = await pipeline.rest('killed');
  expect([batch.status, batch.canary_passed]).toEqual(['awaiting_publish_approval', true]);
  expect(await batchDigest(pipeline.sql, 'killed')).toEqual(undisturbed);
  const { rows } = await pipeline.sql.query(
    `select sum(event_count)::int as events from analytics.backfill_import_parts where batch_id = 'killed' and is_canary`,
  );
  expect(rows).toEqual([{ events: 1_000 }]);
}, 180_000);

it.each<[ServiceName, Record<string, string>, number]>([
  ['importer', {}, 4],
  ['importer', { IMPORTER_CONCURRENCY: '3' }, 8],
  ['transformer', {}, 4],
  ['verifier', {}, 6],
  ['rollback', {}, 4],
  ['api', {}, 10],
])('holds %s (%j) to %d connections besides the dispatcher’s, whatever it has to do', async (service, env, budget) => {
  const config = await createConfigDir();
  const runtime = createRuntime(readEnvironment(service, { ...pipeline.env, ...env, BACKFILL_CONFIG_DIR: config.dir }));
  const open = `select count(*)::int as n from pg_stat_activity
                 where datname = current_database() and application_name = 'budget-' || $1`;
  runtime.pool.options.application_name = `budget-${service}`;
  const work = Promise.all(Array.from({ length: 30 }, () => runtime.pool.query('select pg_sleep(0.3)')));
  const reached = await waitFor(`${budget} connections`, async () => {
    const { rows } = await pipeline.sql.query<{ n: number }>(open, [service]);
    return (rows[0]?.n ?? 0) >= budget ? rows[0]?.n : undefined;
  });
  await work;
  expect([reached, runtime.pool.totalCount]).toEqual([budget, budget]);
  await runtime.close();
  await config.remove();
});
