import type { Client } from '../pool.ts';
import type { BatchRow } from './batch-get.ts';

/**
 * Holds a batch as it was found at rest until the transaction ends, with rollbacks of its source and whatever else could see its rows go.
 *
 * @returns undefined when it has moved on, something works for it, or objects of it are still being replaced
 */
export async function holdBatchAtRest(
  client: Client,
  { batch_id: batchId, attempt, status, epoch }: Pick<BatchRow, 'batch_id' | 'attempt' | 'status' | 'epoch'>,
): Promise<BatchRow | undefined> {
  await client.query(
    `select pg_advisory_xact_lock(7403116, hashtext(source)) from analytics.backfill_batches where batch_id = $1`,
    [batchId],
  );
  const { rows } = await client.query<BatchRow>(
    `select * from analytics.backfill_batches b
      where batch_id = $1 and attempt = $2 and status = $3 and epoch = $4
        and not exists (select 1 from analytics.backfill_erasure_objects o where o.batch_id = b.batch_id)
        -- A report that is being written would say what was before.
        and not exists (select 1 from analytics.backfill_outbox o where o.batch_id = b.batch_id)
        for update`,
    [batchId, attempt, status, epoch],
  );
  return rows[0];
}
