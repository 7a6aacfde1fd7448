import type { Pool } from '@backfill/core/db/pool';
import { getBatch } from '@backfill/core/db/queries/batch-get';
import type { BatchStatus } from '@backfill/core/domain/batch-status';
import type { ManagedProcess } from '@backfill/infra/managed-process';
import { waitFor } from '../../support/wait-for.ts';
import { BENCH_REFERENCES, BENCH_SOURCE, BENCH_WINDOW } from '../events/bench-events.ts';
import { watchMemory } from '../memory/peak-memory.ts';

/** The one batch of each run. */
export const BATCH = {
  ...{ batchId: 'big', source: BENCH_SOURCE, window: BENCH_WINDOW },
  request: { references: BENCH_REFERENCES },
};
export const TIMEOUT_MS = 3 * 3_600_000;
const MIB = 1024 * 1024;

/** How long something took, for how many events. */
export interface Timing {
  ms: number;
  events: number;
  /** Processor time of everything that took part. */
  cpuSeconds: number;
}

/** Waits until the batch has the status. */
export async function reach(pool: Pool, status: BatchStatus): Promise<void> {
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

/** @returns what tells the most memory, in MiB, that the process has had. */
export function peakOf(process: ManagedProcess): () => number {
  const watch = watchMemory(process.pid() ?? 0);
  return () => Math.round(watch.peak() / MIB);
}
