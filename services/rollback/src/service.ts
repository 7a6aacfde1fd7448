import { maintenance } from '@backfill/core/contracts/maintenance';
import { rollback } from '@backfill/core/contracts/rollback';
import type { Runtime } from '@backfill/core/runtime/runtime';
import { createRuntimeConsumer, createWorkerService } from '@backfill/core/runtime/worker-service';
import { purgeStaging } from './jobs/purge-staging.ts';
import { tombstoneBatch } from './jobs/tombstone-batch.ts';

/** Takes batches back, and clears away what is past its time. */
export function createRollbackService(runtime: Runtime) {
  return createWorkerService(runtime, [
    createRuntimeConsumer(runtime, rollback, { tombstone: (payload) => tombstoneBatch(runtime, payload) }),
    createRuntimeConsumer(runtime, maintenance, { 'purge-staging': () => purgeStaging(runtime) }),
  ]);
}
