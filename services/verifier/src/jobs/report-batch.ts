import type { BatchJob } from '@backfill/core/contracts/batch-job';
import { getBatch, getBatchForStatusChange } from '@backfill/core/db/queries/batch-get';
import { fingerprintLive, setPublished } from '@backfill/core/db/queries/publish-rows';
import { withTransaction } from '@backfill/core/db/transaction';
import { DeferError } from '@backfill/core/errors';
import type { Runtime } from '@backfill/core/runtime/runtime';
import { checksumPublished } from '../publish/published-checksum.ts';
import { writeReport } from '../report/write-report.ts';

const ACTOR = 'verifier';

/** Forms the checksum of a published batch anew that has got events from one which was taken back. */
async function amendChecksum({ pool }: Runtime, batchId: string): Promise<void> {
  await withTransaction(pool, ACTOR, async (client) => {
    // Nobody can give or take events meanwhile.
    const batch = await getBatchForStatusChange(client, batchId);
    if (batch?.status !== 'published' || batch.checksum !== null || !batch.rows_live) return;
    const { rows: rowCount } = await fingerprintLive(client, batchId);
    await setPublished(client, batchId, { rowCount, checksum: await checksumPublished(client, batchId) });
  });
}

/** Writes the batch's report as things stand: after a verification, a publish, a rollback. */
export async function reportBatch(runtime: Runtime, job: BatchJob): Promise<void> {
  await amendChecksum(runtime, job.batch_id);
  const written = await writeReport(runtime, job.batch_id);
  const batch = await getBatch(runtime.pool, job.batch_id);
  // While a report is written, a further one for the next status is the same job, and is not written down again.
  if (batch?.status !== written) throw new DeferError('the batch went on while its report was written', 100);
}
