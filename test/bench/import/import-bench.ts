import type { Pool } from '@backfill/core/db/pool';
import { getBatch } from '@backfill/core/db/queries/batch-get';
import { withTransaction } from '@backfill/core/db/transaction';
import { changeStatus } from '@backfill/core/dispatch/change-status';
import type { BatchStatus } from '@backfill/core/domain/batch-status';
import type { ManagedProcess } from '@backfill/infra/managed-process';
import { insertBatch } from '../../support/insert-batch.ts';
import { waitFor } from '../../support/wait-for.ts';
import type { Bench, BenchOptions, BenchTable } from '../bench.ts';
import { BENCH_SOURCE, BENCH_WINDOW } from '../events/bench-events.ts';
import { type BenchStack, startBenchStack } from '../memory/bench-stack.ts';
import { putBigObject } from '../memory/big-object.ts';
import { watchMemory } from '../memory/peak-memory.ts';
import { createCopyDatabase } from './copy-database.ts';
import { copyFinishedRows } from './finished-rows.ts';
import { readParts } from './part-objects.ts';
import { importRowByRow } from './row-by-row.ts';

const BATCH = { batchId: 'big', source: BENCH_SOURCE, window: BENCH_WINDOW };
const TIMEOUT_MS = 3 * 3_600_000;
const ROWS_BY_ROW = 20_000;
const MIB = 1024 * 1024;

interface Timing {
  ms: number;
  events: number;
}

async function reach(pool: Pool, status: BatchStatus): Promise<void> {
  await waitFor(
    `the batch to be ${status}`,
    async () => {
      const batch = await getBatch(pool, BATCH.batchId);
      if (['failed', 'halted', 'gates_failed'].includes(batch?.status ?? ''))
        throw new Error(batch?.status_reason ?? '');
      return batch?.status === status ? batch : undefined;
    },
    TIMEOUT_MS,
  );
}

const peakOf = (process: ManagedProcess) => {
  const watch = watchMemory(process.pid() ?? 0);
  return () => Math.round(watch.peak() / MIB);
};

/** The import alone: everything is transformed before the importers may begin with more than the canary. */
async function timeImport(stack: BenchStack, importers: number): Promise<Timing & { peak: number }> {
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
  const { rows: open } = await pool.query<{ events: number }>(
    `select sum(event_count) as events from analytics.backfill_import_parts where state = 'ready'`,
  );
  await pool.query('checkpoint');
  const processes = await Promise.all(Array.from({ length: importers }, () => stack.start('importer')));
  const peaks = processes.map(peakOf);
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
  await reach(pool, 'verifying');
  const ms = performance.now() - start;
  const peak = Math.max(...peaks.map((read) => read()));
  await Promise.all(processes.map((process) => process.stop()));
  return { ms, events: open[0]?.events ?? 0, peak };
}

/** The whole way, with every service at work: from the submission to the signatures, and the publish. */
async function timeWhole(
  stack: BenchStack,
  importers: number,
): Promise<{ whole: Timing; publish: Timing; peaks: string }> {
  const { pool } = stack.runtime;
  const names = ['transformer', ...Array.from({ length: importers }, () => 'importer' as const), 'verifier'] as const;
  const processes = await Promise.all(names.map((name) => stack.start(name)));
  const peaks = processes.map(peakOf);
  let start = performance.now();
  await insertBatch(stack.runtime, BATCH);
  await reach(pool, 'awaiting_publish_approval');
  const batch = await getBatch(pool, BATCH.batchId);
  const whole = { ms: performance.now() - start, events: batch?.row_count ?? 0 };
  start = performance.now();
  await withTransaction(pool, 'bench', (client) =>
    changeStatus(client, { batchId: BATCH.batchId, from: ['awaiting_publish_approval'], to: 'publishing' }),
  );
  await reach(pool, 'published');
  const publish = { ms: performance.now() - start, events: whole.events };
  const described = processes.map((_, index) => `${names[index]} ${peaks[index]?.()}`).join(', ');
  await Promise.all(processes.map((process) => process.stop()));
  return { whole, publish, peaks: described };
}

/** The limit and the baseline on the parts of the batch, beside its own tables on the same server. */
async function timeLimits(stack: BenchStack): Promise<{ one: Timing; two: Timing; rowByRow: Timing }> {
  const { runtime } = stack;
  const measured: Timing[] = [];
  for (const connections of [1, 2]) {
    const copy = await createCopyDatabase(runtime, `limit_${connections}`, BATCH);
    measured.push(await copyFinishedRows(copy.pool, copy.leaf, readParts(runtime, BATCH.batchId), connections));
    await copy.close();
  }
  const copy = await createCopyDatabase(runtime, 'row_by_row', BATCH);
  const parts = readParts(runtime, BATCH.batchId);
  // The first part is the canary, which is small.
  await parts.next();
  const { value: part } = await parts.next();
  if (part === undefined) throw new Error('there is only a canary: take more events');
  const rowByRow = await importRowByRow(copy.pool, part, ROWS_BY_ROW);
  await parts.return(undefined);
  await copy.close();
  const [one, two] = measured as [Timing, Timing];
  return { one, two, rowByRow };
}

async function withStack<T>(
  bytes: number,
  say: BenchOptions['say'],
  work: (stack: BenchStack) => Promise<T>,
  separateCheckpoint = false,
): Promise<T> {
  const stack = await startBenchStack(say, separateCheckpoint);
  try {
    await putBigObject(stack.runtime, `${BATCH.batchId}/events`, { bytes, compression: 'gzip' });
    return await work(stack);
  } finally {
    await stack.stop();
  }
}

const micros = ({ ms, events }: Timing) => (ms * 1000) / events;

function row(
  what: string,
  timing: Timing,
  limit: Timing,
  more: Record<string, string | number> = {},
): BenchTable['rows'][number] {
  return {
    what,
    events: timing.events,
    'µs/event': Number(micros(timing).toFixed(2)),
    'of the limit': Number((micros(limit) / micros(timing)).toFixed(2)),
    ...more,
  };
}

async function measure(bytes: number, say: BenchOptions['say']): Promise<BenchTable> {
  say('one importer');
  const first = await withStack(bytes, say, async (stack) => {
    const imported = await timeImport(stack, 1);
    say('the limit, and row by row');
    return { imported, ...(await timeLimits(stack)) };
  });
  say('two importers');
  const second = await withStack(bytes, say, (stack) => timeImport(stack, 2));
  say('one importer, two databases');
  const apart = await withStack(bytes, say, (stack) => timeImport(stack, 1), true);
  say('the whole way');
  const { whole, publish, peaks } = await withStack(bytes, say, (stack) => timeWhole(stack, 1));
  return {
    title: 'Import: our stage, against COPY of finished rows (the limit) and a script that goes row by row',
    rows: [
      row('limit, 1 connection', first.one, first.one),
      row('limit, 2 connections', first.two, first.two),
      row('row by row', first.rowByRow, first.one),
      row('import, 1 importer', first.imported, first.one, { 'peak MiB': first.imported.peak }),
      row('import, 2 importers', second, first.two, { 'peak MiB': second.peak }),
      row('import, 1 importer, 2 databases', apart, first.one, { 'peak MiB': apart.peak }),
      row('raw gzip to the signatures', whole, first.one, { 'peak MiB': peaks }),
      row('publish', publish, first.one),
    ],
  };
}

/** How fast parts are imported, against what the database can take at most and what a script would take. */
export const importBench: Bench = {
  summary: 'import, the whole way and publish, against COPY and against a script that goes row by row',
  async run({ sizes, say }) {
    const tables: BenchTable[] = [];
    for (const bytes of sizes) tables.push(await measure(bytes, say));
    return tables;
  },
};
