import { getBatch } from '@backfill/core/db/queries/batch-get';
import { withTransaction } from '@backfill/core/db/transaction';
import { changeStatus } from '@backfill/core/dispatch/change-status';
import { insertBatch } from '../../support/insert-batch.ts';
import type { BenchStack } from '../memory/bench-stack.ts';
import { timeBareInsert } from './bare-insert.ts';
import { BATCH, peakOf, type Timing } from './bench-batch.ts';
import { type StageTime, totalCpuSeconds, watchStages } from './stage-watch.ts';

/** The whole way, and where its time went. */
export interface WholeTiming {
  /** From the submission to the signatures. */
  whole: Timing;
  publish: Timing;
  /** The published rows by one statement. */
  bareInsert: Timing;
  stages: StageTime[];
  /** The most memory of each service, for a person. */
  peaks: string;
}

/** The whole way, with every service at work: from the submission to the signatures, and the publish. */
export async function timeWhole(stack: BenchStack, importers: number): Promise<WholeTiming> {
  const { pool } = stack.runtime;
  const names = ['transformer', ...Array.from({ length: importers }, () => 'importer' as const), 'verifier'] as const;
  const processes = await Promise.all(names.map(async (name) => [name, await stack.start(name)] as const));
  const peaks = processes.map(([name, process]) => [name, peakOf(process)] as const);
  const { postgres, s3, redis } = stack.servers;
  const watched = [...processes, ['PostgreSQL', postgres], ['S3', s3], ['Redis', redis]] as const;
  let start = performance.now();
  await insertBatch(stack.runtime, BATCH);
  const onTheWay = await watchStages(pool, BATCH.batchId, 'awaiting_publish_approval', watched);
  const batch = await getBatch(pool, BATCH.batchId);
  const whole = { ms: performance.now() - start, events: batch?.row_count ?? 0, cpuSeconds: totalCpuSeconds(onTheWay) };
  start = performance.now();
  await withTransaction(pool, 'bench', (client) =>
    changeStatus(client, { batchId: BATCH.batchId, from: ['awaiting_publish_approval'], to: 'publishing' }),
  );
  const publishing = await watchStages(pool, BATCH.batchId, 'published', watched);
  const publish = { ms: performance.now() - start, events: whole.events, cpuSeconds: totalCpuSeconds(publishing) };
  const bareInsert = await timeBareInsert(stack);
  const described = peaks.map(([name, read]) => `${name} ${read()}`).join(', ');
  await Promise.all(processes.map(([, process]) => process.stop()));
  return { whole, publish, bareInsert, stages: [...onTheWay, ...publishing], peaks: described };
}
