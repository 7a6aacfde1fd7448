import { getBatch } from '@backfill/core/db/queries/batch-get';
import { withTransaction } from '@backfill/core/db/transaction';
import { changeStatus } from '@backfill/core/dispatch/change-status';
import type { BatchStatus } from '@backfill/core/domain/batch-status';
import type { ManagedProcess } from '@backfill/infra/managed-process';
import type { ServiceName } from '@backfill/infra/services';
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

/** Services at work on the one batch, and everything whose processor time counts. */
export interface WorkingStack {
  /** Asks for something, and times the batch's way from there to a status. */
  time(ask: () => Promise<unknown>, last: BatchStatus): Promise<Timing & { stages: StageTime[] }>;
  /** The most memory of each service, in MiB, for a person. */
  peaks(): string;
  stop(): Promise<void>;
}

/** Starts the services, one process each. */
export async function startServices(stack: BenchStack, names: readonly ServiceName[]): Promise<WorkingStack> {
  const processes = await Promise.all(names.map(async (name) => [name, await stack.start(name)] as const));
  const peaks = processes.map(([name, process]) => [name, peakOf(process)] as const);
  const { postgres, s3, redis } = stack.servers;
  const watched: (readonly [string, ManagedProcess])[] = [
    ...processes,
    ['PostgreSQL', postgres],
    ['S3', s3],
    ['Redis', redis],
  ];
  const { pool } = stack.runtime;
  return {
    async time(ask, last) {
      const start = performance.now();
      await ask();
      const stages = await watchStages(pool, BATCH.batchId, last, watched);
      const batch = await getBatch(pool, BATCH.batchId);
      const ms = performance.now() - start;
      return { ms, events: batch?.row_count ?? 0, cpuSeconds: totalCpuSeconds(stages), stages };
    },
    peaks: () => peaks.map(([name, read]) => `${name} ${read()}`).join(', '),
    async stop() {
      await Promise.all(processes.map(([, process]) => process.stop()));
    },
  };
}

/** From the submission to the signatures. */
export function timeToSignatures({ runtime }: BenchStack, services: WorkingStack) {
  return services.time(() => insertBatch(runtime, BATCH), 'awaiting_publish_approval');
}

/** From the go to the end of the publish. */
export function timePublish({ runtime }: BenchStack, services: WorkingStack) {
  const go = { batchId: BATCH.batchId, from: ['awaiting_publish_approval'], to: 'publishing' } as const;
  return services.time(() => withTransaction(runtime.pool, 'bench', (client) => changeStatus(client, go)), 'published');
}

/** The whole way, with every service at work: from the submission to the signatures, and the publish. */
export async function timeWhole(stack: BenchStack, importers: number): Promise<WholeTiming> {
  const more = Array.from({ length: importers }, () => 'importer' as const);
  const services = await startServices(stack, ['transformer', ...more, 'verifier']);
  const whole = await timeToSignatures(stack, services);
  const publish = await timePublish(stack, services);
  const bareInsert = await timeBareInsert(stack);
  const peaks = services.peaks();
  await services.stop();
  return { whole, publish, bareInsert, stages: [...whole.stages, ...publish.stages], peaks };
}
