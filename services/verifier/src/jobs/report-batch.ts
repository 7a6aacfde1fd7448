import type { BatchJob } from '@backfill/core/contracts/batch-job';
import type { Runtime } from '@backfill/core/runtime/runtime';
import { writeReport } from '../report/write-report.ts';

/** Writes the batch's report as things stand: after a verification, a publish, a rollback. */
export async function reportBatch(runtime: Runtime, job: BatchJob): Promise<void> {
  await writeReport(runtime, job.batch_id);
}
