import { verification } from '@backfill/core/contracts/verification';
import type { KeyedRuntime } from '@backfill/core/runtime/keyed-runtime';
import { createRuntimeConsumer, createWorkerService } from '@backfill/core/runtime/worker-service';
import { createHeadStart } from './jobs/head-start.ts';
import { publishBatch } from './jobs/publish-batch.ts';
import { reportBatch } from './jobs/report-batch.ts';
import { verifyBatch } from './jobs/verify-batch.ts';

/** Measures the gates of staged batches, and publishes the ones that were signed. */
export function createVerifierService(runtime: KeyedRuntime) {
  const headStart = createHeadStart(runtime);
  return createWorkerService(runtime, [
    createRuntimeConsumer(runtime, verification, {
      verify: (payload, job) => verifyBatch(runtime, payload, job.signal),
      recount: (payload, job) => headStart(payload, job.signal),
      publish: (payload, job) => publishBatch(runtime, payload, job.signal),
      report: (payload) => reportBatch(runtime, payload),
    }),
  ]);
}
