import { insertBatch } from '../../support/insert-batch.ts';
import { waitFor } from '../../support/wait-for.ts';
import type { BenchStack } from '../memory/bench-stack.ts';
import { BATCH, peakOf, reach, TIMEOUT_MS, type Timing } from './bench-batch.ts';
import { cpuSeconds } from './cpu-time.ts';

/** Transforms the batch, and imports its canary; the importers may begin with the rest then. */
export async function transformBatch(stack: BenchStack): Promise<void> {
  const { pool } = stack.runtime;
  const transformer = await stack.start('transformer');
  const canary = await stack.start('importer');
  await insertBatch(stack.runtime, BATCH);
  await reach(pool, 'importing');
  await canary.stop();
  await waitFor(
    'every chunk to be transformed',
    async () =>
      (await pool.query(`select 1 from analytics.backfill_raw_chunks where state = 'open' limit 1`)).rowCount === 0 ||
      undefined,
    TIMEOUT_MS,
  );
  await transformer.stop();
}

/** The import alone: everything is transformed before the importers may begin with more than the canary. */
export async function timeImport(stack: BenchStack, importers: number): Promise<Timing & { peak: number }> {
  const { pool } = stack.runtime;
  await transformBatch(stack);
  const { rows: open } = await pool.query<{ events: number }>(
    `select sum(event_count) as events from analytics.backfill_import_parts where state = 'ready'`,
  );
  await pool.query('checkpoint');
  const processes = await Promise.all(Array.from({ length: importers }, () => stack.start('importer')));
  const peaks = processes.map(peakOf);
  const taking = [...processes, stack.servers.postgres, stack.servers.s3];
  const cpu = () => taking.reduce((sum, process) => sum + cpuSeconds(process.pid() ?? 0), 0);
  const start = await waitFor(
    'the first part to begin',
    async () =>
      (
        await pool.query(
          `select 1 from pg_stat_activity where query like 'copy analytics.events_backfill%' and state = 'active'`,
        )
      ).rowCount === 0
        ? undefined
        : performance.now(),
    TIMEOUT_MS,
  );
  const before = cpu();
  await reach(pool, 'verifying');
  const ms = performance.now() - start;
  const spent = cpu() - before;
  const peak = Math.max(...peaks.map((read) => read()));
  await Promise.all(processes.map((process) => process.stop()));
  return { ms, events: open[0]?.events ?? 0, cpuSeconds: spent, peak };
}
