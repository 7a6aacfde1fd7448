import { defineBatchJob } from './batch-job.ts';
import { defineQueue } from './define-queue.ts';

/** Takes a batch back. */
export const rollback = defineQueue({
  name: 'rollback',
  producers: ['api', 'dispatcher'],
  consumer: 'rollback',
  jobs: {
    tombstone: defineBatchJob('tombstone', ['rolling_back']),
  },
});
