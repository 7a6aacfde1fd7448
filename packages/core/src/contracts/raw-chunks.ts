import { z } from 'zod';
import { defineBatchJob } from './batch-job.ts';
import { defineJob, defineQueue } from './define-queue.ts';

/** A job about one chunk. `epoch` is the chunk's. */
export const ChunkJob = z.object({ v: z.literal(1), batch_id: z.string(), chunk_id: z.int(), epoch: z.int() });
export type ChunkJob = z.infer<typeof ChunkJob>;

/** From raw logs to import parts: plan a batch, mirror its input, transform one chunk of it. */
export const rawChunks = defineQueue({
  name: 'raw-chunks',
  producers: ['api', 'transformer', 'dispatcher'],
  consumer: 'transformer',
  jobs: {
    plan: defineBatchJob('plan', ['submitted', 'planning']),
    mirror: defineBatchJob('mirror', ['preparing']),
    transform: defineJob({
      payload: ChunkJob,
      jobId: (p: ChunkJob) => `transform_${p.chunk_id}_${p.epoch}`,
      attempts: 5,
      backoffMs: 1_000,
      whenStatus: ['canary', 'importing'],
    }),
  },
});
