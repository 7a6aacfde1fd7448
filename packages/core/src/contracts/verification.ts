import { defineBatchJob } from './batch-job.ts';
import { defineQueue } from './define-queue.ts';

/** From staged rows to proven, and then published ones. */
export const verification = defineQueue({
  name: 'verification',
  producers: ['api', 'importer', 'transformer', 'dispatcher'],
  consumer: 'verifier',
  jobs: {
    verify: defineBatchJob('verify', ['verifying']),
    publish: defineBatchJob('publish', ['publishing']),
  },
});
