import { defineBatchJob } from './batch-job.ts';
import { defineQueue } from './define-queue.ts';

/** Takes a batch back, by the mode that the kind of job is named after. */
export const rollback = defineQueue({
  name: 'rollback',
  producers: ['api', 'dispatcher'],
  consumer: 'rollback',
  jobs: {
    tombstone: defineBatchJob('tombstone', ['rolling_back']),
    window: defineBatchJob('window', ['rolling_back']),
    snapshot: defineBatchJob('snapshot', ['rolling_back']),
  },
});
