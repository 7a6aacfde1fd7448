import { maintenance } from '@backfill/core/contracts/maintenance';
import { rollback } from '@backfill/core/contracts/rollback';
import { getLastCompleteRetention } from '@backfill/core/db/queries/retention-runs';
import { watchLastRetention } from '@backfill/core/observability/last-retention';
import type { Runtime } from '@backfill/core/runtime/runtime';
import { createRuntimeConsumer, createWorkerService } from '@backfill/core/runtime/worker-service';
import { eraseSubject } from './jobs/erase-subject.ts';
import { expireByPolicy } from './jobs/expire-by-policy.ts';
import { purgeStaging } from './jobs/purge-staging.ts';
import { restoreSnapshot, revertWindow, tombstoneBatch } from './jobs/take-batch-back.ts';

/** Takes batches back, forgets people, and clears away what is past its time. */
export function createRollbackService(runtime: Runtime) {
  watchLastRetention(runtime.metrics.registry, () => getLastCompleteRetention(runtime.pool));
  return createWorkerService(runtime, [
    createRuntimeConsumer(runtime, rollback, {
      tombstone: (payload) => tombstoneBatch(runtime, payload),
      window: (payload) => revertWindow(runtime, payload),
      snapshot: (payload, { signal }) => restoreSnapshot(runtime, payload, signal),
    }),
    createRuntimeConsumer(runtime, maintenance, {
      'purge-staging': () => purgeStaging(runtime),
      erase: (payload, { signal }) => eraseSubject(runtime, payload, { signal }),
      retention: (payload, { signal }) => expireByPolicy(runtime, payload, { signal }),
    }),
  ]);
}
