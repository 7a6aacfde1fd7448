import { rawChunks } from '@backfill/core/contracts/raw-chunks';
import type { KeyedRuntime } from '@backfill/core/runtime/keyed-runtime';
import { createRuntimeConsumer, createWorkerService } from '@backfill/core/runtime/worker-service';
import { mirrorBatch } from './jobs/mirror-batch.ts';
import { planBatch } from './jobs/plan-batch.ts';
import { transformChunk } from './jobs/transform-chunk.ts';

/** Plans batches, mirrors their input and transforms it into import parts. */
export function createTransformerService(context: KeyedRuntime) {
  return createWorkerService(context, [
    createRuntimeConsumer(context, rawChunks, {
      plan: (payload, job) => planBatch(context, payload, job.signal),
      mirror: (payload, job) => mirrorBatch(context, payload, job.signal),
      transform: (payload, job) => transformChunk(context, payload, job.signal),
    }),
  ]);
}
