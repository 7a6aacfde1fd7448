import type { Client } from '../db/pool.ts';
import { getBatch, getBatchForStatusChange } from '../db/queries/batch-get.ts';
import { clearImportLimit } from '../db/queries/batch-set-canary.ts';
import { startNewAttempt } from '../db/queries/batch-start-attempt.ts';
import { type BatchStatus, resumeTarget } from '../domain/batch-status.ts';
import { changeStatus } from './change-status.ts';
import { startRunWhenReady } from './start-run.ts';

/**
 * Lets a halted or failed batch go on where it stopped, and starts a rolled back one anew (a new attempt, which
 * plans and wants its run approvals again).
 *
 * @returns the new status, or undefined when the batch does not rest in a status that can be resumed.
 */
export async function resumeBatch(client: Client, batchId: string, reason?: string): Promise<BatchStatus | undefined> {
  const batch = await getBatchForStatusChange(client, batchId);
  if (batch === undefined) return undefined;
  if (batch.status === 'rolled_back') {
    await startNewAttempt(client, batchId);
    await changeStatus(client, { batchId, from: ['rolled_back'], to: 'planning', reason });
    return 'planning';
  }
  if (batch.status !== 'halted' && batch.status !== 'failed') return undefined;
  if (batch.canary_passed === true) await clearImportLimit(client, batchId);
  const to = resumeTarget(batch.status, batch.resume_status);
  if (!(await changeStatus(client, { batchId, from: [batch.status], to, reason }))) return undefined;
  // What it waited for may have come while it was stopped.
  const resumed = await getBatch(client, batchId);
  return resumed !== undefined && (await startRunWhenReady(client, resumed)) ? 'preparing' : to;
}
