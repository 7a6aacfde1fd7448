import { rawChunks } from '@backfill/core/contracts/raw-chunks';
import { createRuntimeConsumer, createWorkerService } from '@backfill/core/runtime/worker-service';
import type { TransformerContext } from './context.ts';
import { mirrorBatch } from './jobs/mirror-batch.ts';
import { planBatch } from './jobs/plan-batch.ts';
import { transformChunk } from './jobs/transform-chunk.ts';

/** Plans batches, mirrors their input and transforms it into import parts. */
export function createTransformerService(context: TransformerContext) {
  return createWorkerService(context, [
    createRuntimeConsumer(context, rawChunks, {
      plan: (payload, job) => planBatch(context, payload, job.signal),
      mirror: (payload, job) => mirrorBatch(context, payload, job.signal),
      transform: (payload, job) => transformChunk(context, payload, job.signal),
    }),
  ]);
}
