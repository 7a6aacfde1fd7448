import type { Client } from '../pool.ts';

/** Has a stopped batch measured anew when it goes on, where it had been measured. */
export async function remeasureWhenResumed(client: Client, batchId: string): Promise<void> {
  await client.query(
    `update analytics.backfill_batches set resume_status = 'verifying'
      where batch_id = $1 and not rows_live
        and resume_status in ('verifying', 'gates_failed', 'awaiting_publish_approval', 'publishing')`,
    [batchId],
  );
}
