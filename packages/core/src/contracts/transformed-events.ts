import { z } from 'zod';
import { defineBatchJob } from './batch-job.ts';
import { defineJob, defineQueue } from './define-queue.ts';

/** A job about one import part. `epoch` is the part's. */
export const PartJob = z.object({ v: z.literal(1), batch_id: z.string(), part_id: z.int(), epoch: z.int() });
export type PartJob = z.infer<typeof PartJob>;

/** From import parts to staged rows. The canary's parts go first, alone; when they are checked, the rest follows. */
export const transformedEvents = defineQueue({
  name: 'transformed-events',
  producers: ['transformer', 'dispatcher'],
  consumer: 'importer',
  jobs: {
    canary: defineJob({
      payload: PartJob,
      jobId: (p: PartJob) => `canary_${p.part_id}_${p.epoch}`,
      attempts: 5,
      backoffMs: 1_000,
      whenStatus: ['canary'],
    }),
    'check-canary': defineBatchJob('check-canary', ['canary']),
    import: defineJob({
      payload: PartJob,
      jobId: (p: PartJob) => `import_${p.part_id}_${p.epoch}`,
      attempts: 5,
      backoffMs: 1_000,
      whenStatus: ['importing'],
    }),
  },
});
