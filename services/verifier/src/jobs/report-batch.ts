import type { BatchJob } from '@backfill/core/contracts/batch-job';
import { getBatch } from '@backfill/core/db/queries/batch-get';
import { DeferError } from '@backfill/core/errors';
import type { Runtime } from '@backfill/core/runtime/runtime';
import { writeReport } from '../report/write-report.ts';

/** Writes the batch's report as things stand: after a verification, a publish, a rollback. */
export async function reportBatch(runtime: Runtime, job: BatchJob): Promise<void> {
  const written = await writeReport(runtime, job.batch_id);
  const batch = await getBatch(runtime.pool, job.batch_id);
  // While a report is written, a further one for the next status is the same job, and is not written down again.
  if (batch?.status !== written) throw new DeferError('the batch went on while its report was written', 100);
}
