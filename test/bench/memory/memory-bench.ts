import type { Pool } from '@backfill/core/db/pool';
import { getBatch } from '@backfill/core/db/queries/batch-get';
import type { BatchStatus } from '@backfill/core/domain/batch-status';
import { insertBatch } from '../../support/insert-batch.ts';
import { waitFor } from '../../support/wait-for.ts';
import type { Bench, BenchOptions, BenchTable } from '../bench.ts';
import { BENCH_REFERENCES, BENCH_SOURCE, BENCH_WINDOW } from '../events/bench-events.ts';
import { type BenchStack, startBenchStack } from './bench-stack.ts';
import { putBigObject } from './big-object.ts';
import { watchMemory } from './peak-memory.ts';

const BATCH = 'big';
const MB = 1e6;
const MIB = 1024 * 1024;
const TIMEOUT_MS = 3 * 3_600_000;

type Row = BenchTable['rows'][number];

async function reach(pool: Pool, statuses: readonly BatchStatus[]): Promise<void> {
  await waitFor(
    `the batch to be ${statuses.join(' or ')}`,
    async () => {
      const batch = await getBatch(pool, BATCH);
      if (batch === undefined) return undefined;
      if (['failed', 'halted'].includes(batch.status)) throw new Error(`the batch is ${batch.status}`);
      return statuses.includes(batch.status) ? batch : undefined;
    },
    TIMEOUT_MS,
  );
}

async function allTransformed(pool: Pool): Promise<void> {
  await waitFor(
    'every chunk to be transformed',
    async () => {
      const { rows } = await pool.query(`select 1 from analytics.backfill_raw_chunks where state = 'open' limit 1`);
      return rows.length === 0 ? true : undefined;
    },
    TIMEOUT_MS,
  );
}

/** Peak memory after each step of one transformer's work on one object; the importer only lets the canary pass. */
async function follow(stack: BenchStack): Promise<Row> {
  const { runtime } = stack;
  const transformer = await stack.start('transformer');
  const importer = await stack.start('importer');
  const watch = watchMemory(transformer.pid() ?? 0);
  const peak = () => Math.round(watch.peak() / MIB);
  try {
    const start = peak();
    const request = { references: BENCH_REFERENCES };
    await insertBatch(runtime, { batchId: BATCH, source: BENCH_SOURCE, window: BENCH_WINDOW, request });
    await reach(runtime.pool, ['preparing', 'canary', 'importing']);
    const plan = peak();
    await reach(runtime.pool, ['canary', 'importing']);
    const mirror = peak();
    await reach(runtime.pool, ['importing']);
    await importer.stop();
    await allTransformed(runtime.pool);
    return { 'started MiB': start, 'planned MiB': plan, 'mirrored MiB': mirror, 'transformed MiB': peak() };
  } finally {
    watch.stop();
  }
}

async function measure(bytes: number, compression: string, say: BenchOptions['say']): Promise<Row> {
  const stack = await startBenchStack(say);
  try {
    const name = `${bytes / MB} MB, ${compression}`;
    say(`${name}: writing`);
    await putBigObject(stack.runtime, `${BATCH}/events`, { bytes, compression });
    say(`${name}: plan, mirror, transform`);
    return { 'text MB': bytes / MB, compression, ...(await follow(stack)) };
  } finally {
    await stack.stop();
  }
}

/** How much memory a transformer takes for an object of any size. */
export const memoryBench: Bench = {
  summary: 'peak memory of a transformer over one big object',
  async run({ sizes, compressions, say }) {
    const rows: Row[] = [];
    for (const bytes of sizes) {
      for (const compression of compressions) rows.push(await measure(bytes, compression, say));
    }
    return [{ title: 'Most memory (RSS) that a transformer process has had, after each step', rows }];
  },
};
