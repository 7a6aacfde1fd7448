import { z } from 'zod';
import type { BatchStatus } from '../domain/batch-status.ts';
import { defineJob, type JobDefinition } from './define-queue.ts';

/** A job about a whole batch. `epoch` is the batch's epoch when the work was written down. */
export const BatchJob = z.object({ v: z.literal(1), batch_id: z.string(), batch_no: z.int(), epoch: z.int() });
export type BatchJob = z.infer<typeof BatchJob>;

/** Declares a kind of job about a whole batch, which may run while the batch has one of the statuses. */
export function defineBatchJob(kind: string, whenStatus: readonly BatchStatus[]): JobDefinition<BatchJob> {
  return defineJob({
    payload: BatchJob,
    jobId: (payload) => `${kind}_${payload.batch_no}_${payload.epoch}`,
    attempts: 5,
    backoffMs: 1_000,
    whenStatus,
  });
}
