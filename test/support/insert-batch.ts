import { getBatch } from '@backfill/core/db/queries/batch-get';
import { withTransaction } from '@backfill/core/db/transaction';
import { enqueueOpenWork } from '@backfill/core/dispatch/change-status';
import type { Runtime } from '@backfill/core/runtime/runtime';

export interface SubmittedBatch {
  batchId: string;
  source: string;
  window: { start: string; end: string };
  request?: Record<string, unknown>;
}

/** Submits a batch without the API, under `<batch>/` of the raw bucket. */
export async function insertBatch(runtime: Pick<Runtime, 'config' | 'pool'>, batch: SubmittedBatch): Promise<void> {
  const { batchId, source, window, request = {} } = batch;
  const input = `s3://${runtime.config.storage.rawBucket}/${batchId}/`;
  await withTransaction(runtime.pool, 'test', async (client) => {
    await client.query(
      `insert into analytics.backfill_batches
         (batch_id, source, reason, input, window_start, window_end, request, request_sha256, submitted_by)
       values ($1, $2, 'outage', $3, $4, $5, $6, '', 'test')`,
      [batchId, source, input, window.start, window.end, request],
    );
    const row = await getBatch(client, batchId);
    if (row !== undefined) await enqueueOpenWork(client, row);
  });
}
