import { z } from 'zod';
import { defineJob, defineQueue } from './define-queue.ts';

const PurgeJob = z.object({ v: z.literal(1) });

/** What comes round by the clock, of no batch in particular. Sent by a job scheduler, not through the outbox. */
export const maintenance = defineQueue({
  name: 'maintenance',
  producers: ['dispatcher'],
  consumer: 'rollback',
  jobs: {
    'purge-staging': defineJob({
      payload: PurgeJob,
      jobId: (_payload: z.infer<typeof PurgeJob>) => 'purge-staging',
      attempts: 3,
      backoffMs: 5_000,
      whenStatus: [],
    }),
  },
});
