import { z } from 'zod';
import { defineJob, defineQueue } from './define-queue.ts';

const PurgeJob = z.object({ v: z.literal(1) });

/** `run_id`: a run that was asked for, or cut off. Without: one that comes round by the clock. */
const RetentionJob = z.object({ v: z.literal(1), run_id: z.int().optional() });
export type RetentionJob = z.infer<typeof RetentionJob>;

/** `erasure_id`: a person to forget. Without: objects that a committed erasure has left to put in their places. */
const ErasureJob = z.object({ v: z.literal(1), erasure_id: z.int().optional() });
export type ErasureJob = z.infer<typeof ErasureJob>;

/**
 * What comes round by the clock, of no batch in particular. Sent by job schedulers, not through the outbox; runs of
 * retention and erasures that have not ended are sent by the reconciler.
 */
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
    retention: defineJob({
      payload: RetentionJob,
      jobId: ({ run_id }: RetentionJob) => (run_id === undefined ? 'retention' : `retention_${run_id}`),
      attempts: 3,
      backoffMs: 5_000,
      whenStatus: [],
    }),
    erase: defineJob({
      payload: ErasureJob,
      jobId: ({ erasure_id }: ErasureJob) => (erasure_id === undefined ? 'erase' : `erase_${erasure_id}`),
      attempts: 3,
      backoffMs: 5_000,
      whenStatus: [],
    }),
  },
});
