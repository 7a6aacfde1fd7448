import type { BatchStatus } from '../../domain/batch-status.ts';
import type { Queryable } from '../pool.ts';

/** The statuses of these batches, of those that there are. */
export async function listBatchStatuses(db: Queryable, batchIds: readonly string[]): Promise<Map<string, BatchStatus>> {
  const { rows } = await db.query<{ batch_id: string; status: BatchStatus }>(
    'select batch_id, status from analytics.backfill_batches where batch_id = any ($1)',
    [batchIds],
  );
  return new Map(rows.map(({ batch_id, status }) => [batch_id, status]));
}
