import type { BatchStatus } from '../domain/batch-status.ts';
import { defineBatchJob } from './batch-job.ts';
import { defineQueue } from './define-queue.ts';

/** Statuses that a report is written, or written again, for. */
export const REPORTED_STATUSES: readonly BatchStatus[] = [
  'gates_failed',
  'awaiting_publish_approval',
  'published',
  'rolled_back',
];

/** From staged rows to proven, and then published ones; and what can be proven of the mirror before there are rows. */
export const verification = defineQueue({
  name: 'verification',
  producers: ['api', 'importer', 'transformer', 'dispatcher'],
  consumer: 'verifier',
  jobs: {
    // Beside the import, which the verification would otherwise wait for.
    recount: defineBatchJob('recount', ['importing', 'verifying']),
    verify: defineBatchJob('verify', ['verifying']),
    publish: defineBatchJob('publish', ['publishing']),
    report: defineBatchJob('report', REPORTED_STATUSES),
  },
});
