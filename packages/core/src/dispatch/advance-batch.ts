import type { Client, Pool } from '../db/pool.ts';
import { type BatchRow, getBatchForStatusChange } from '../db/queries/batch-get.ts';
import { countOpenWork } from '../db/queries/open-work-count.ts';
import { withTransaction } from '../db/transaction.ts';
import { changeStatus, enqueueCanary } from './change-status.ts';
import { startRunWhenReady } from './start-run.ts';

async function leaveImporting(client: Client, batch: BatchRow): Promise<boolean> {
  const open = await countOpenWork(client, batch.batch_id);
  if (open.chunks > 0 || open.parts > 0) return false;
  return changeStatus(client, { batchId: batch.batch_id, from: ['importing'], to: 'verifying' });
}

async function advanceOnce(client: Client, batchId: string): Promise<boolean> {
  const batch = await getBatchForStatusChange(client, batchId);
  if (batch?.status === 'awaiting_run_approval') return startRunWhenReady(client, batch);
  if (batch?.status === 'canary') await enqueueCanary(client, batch);
  if (batch?.status === 'importing') return leaveImporting(client, batch);
  return false;
}

/**
 * The fan-in: moves the batch on when nothing of its stage is open in the ledger, or missing of its run's approval, and a
 * canary to its next chunk or to its check. Called after each piece of work has
 * committed, under the batch's row lock, so that the last of several to finish always sees the others; a caller that
 * dies before it gets here is made good by the reconciler.
 */
export async function advanceBatch(pool: Pool, batchId: string, actor: string): Promise<void> {
  let moved = true;
  while (moved) moved = await withTransaction(pool, actor, (client) => advanceOnce(client, batchId));
}
