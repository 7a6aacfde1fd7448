import type { Client } from '../db/pool.ts';
import type { BatchRow } from '../db/queries/batch-get.ts';
import { remeasureWhenResumed } from '../db/queries/batch-remeasure.ts';
import { changeStatus, enqueueOpenWork } from '../dispatch/change-status.ts';

/** Has measured again what is not published, and written again what is said of the others. */
export async function followUp(client: Client, { batch_id: batchId }: BatchRow): Promise<void> {
  const change = { batchId, from: ['awaiting_publish_approval', 'gates_failed'] as const, to: 'verifying' as const };
  const reason = 'a person of its events is to be forgotten';
  if (await changeStatus(client, { ...change, reason })) return;
  await remeasureWhenResumed(client, batchId);
  const { rows } = await client.query<BatchRow>('select * from analytics.backfill_batches where batch_id = $1', [
    batchId,
  ]);
  if (rows[0] !== undefined && ['published', 'rolled_back'].includes(rows[0].status))
    await enqueueOpenWork(client, rows[0]);
}
