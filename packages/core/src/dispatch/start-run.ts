import type { Client, Queryable } from '../db/pool.ts';
import { listApprovals } from '../db/queries/approval-list.ts';
import { listRequiredRoles } from '../db/queries/approval-policy-list.ts';
import type { BatchRow } from '../db/queries/batch-get.ts';
import { listBatchesAwaitingRun } from '../db/queries/open-work-list.ts';
import { getRehearsalState } from '../db/queries/rehearsal.ts';
import { missingRoles } from '../domain/approvals.ts';
import { changeStatus } from './change-status.ts';

type Waiting = Pick<BatchRow, 'batch_id' | 'plan_hash'>;

/** Those of the batches for whose run nothing is missing: neither a signature nor the rehearsal that a plan may ask for. */
async function keepReady<B extends Waiting>(db: Queryable, waiting: readonly B[]): Promise<B[]> {
  if (waiting.length === 0) return [];
  const batchIds = waiting.map((batch) => batch.batch_id);
  const required = await listRequiredRoles(db, batchIds);
  const approvals = await listApprovals(db, batchIds);
  const ready: B[] = [];
  for (const batch of waiting) {
    const roles = required.get(batch.batch_id);
    if (roles === undefined) continue;
    const given = approvals.filter((approval) => approval.batch_id === batch.batch_id);
    if (missingRoles(roles.run, given, 'run', batch.plan_hash).length > 0) continue;
    const rehearsal = await getRehearsalState(db, batch.batch_id);
    if (rehearsal !== undefined && (!rehearsal.required || rehearsal.recorded !== null)) ready.push(batch);
  }
  return ready;
}

/**
 * Starts the run of a locked batch that waits for it, if nothing is missing any more.
 *
 * @returns true when it was started
 */
export async function startRunWhenReady(client: Client, batch: BatchRow): Promise<boolean> {
  if (batch.status !== 'awaiting_run_approval' || (await keepReady(client, [batch])).length === 0) return false;
  return changeStatus(client, { batchId: batch.batch_id, from: ['awaiting_run_approval'], to: 'preparing' });
}

/**
 * Batches that wait for people who have all spoken: what was missing came while the batch was stopped, or what was planned
 * again is what they have signed.
 */
export async function listReadyRuns(db: Queryable): Promise<string[]> {
  return (await keepReady(db, await listBatchesAwaitingRun(db))).map((batch) => batch.batch_id);
}
