import type { Client } from '../db/pool.ts';
import { changeStatus } from './change-status.ts';

/**
 * Sends batches back to their gates that wait for signatures, or were stopped when they did: what was measured of them
 * does not hold any more. Others are left where they are; they will be measured later in any case.
 *
 * @returns those that went back
 */
export async function recallBatches(client: Client, batchIds: readonly string[], reason: string): Promise<string[]> {
  if (batchIds.length === 0) return [];
  // A verification that is about to end waits here, and looks again afterwards.
  const { rows } = await client.query<{ batch_id: string }>(
    `select batch_id from analytics.backfill_batches where batch_id = any ($1) order by batch_id for no key update`,
    [batchIds],
  );
  const recalled: string[] = [];
  for (const { batch_id: batchId } of rows) {
    const change = { batchId, from: ['awaiting_publish_approval' as const], to: 'verifying' as const, reason };
    if (await changeStatus(client, change)) recalled.push(batchId);
  }
  await client.query(
    `update analytics.backfill_batches set resume_status = 'verifying'
      where batch_id = any ($1) and resume_status in ('awaiting_publish_approval', 'publishing')
        and not rows_live`,
    [batchIds],
  );
  return recalled;
}
