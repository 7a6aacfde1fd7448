import { transformedEvents } from '@backfill/core/contracts/transformed-events';
import type { Runtime } from '@backfill/core/runtime/runtime';
import { createRuntimeConsumer, createWorkerService } from '@backfill/core/runtime/worker-service';
import { checkCanary } from './jobs/check-canary.ts';
import { importPart } from './jobs/import-part.ts';

/** Stages import parts, one transaction each, and checks canaries. Any number of replicas may run. */
export function createImporterService(runtime: Runtime) {
  return createWorkerService(runtime, [
    createRuntimeConsumer(runtime, transformedEvents, {
      canary: (payload, job) => importPart(runtime, payload, job.signal),
      'check-canary': (payload, job) => checkCanary(runtime, payload, job.signal),
      import: (payload, job) => importPart(runtime, payload, job.signal),
    }),
  ]);
}
