import type { Client } from '@backfill/core/db/pool';
import { listApprovals } from '@backfill/core/db/queries/approval-list';
import { listRequiredRoles } from '@backfill/core/db/queries/approval-policy-list';
import type { BatchRow } from '@backfill/core/db/queries/batch-get';
import { getRehearsalState } from '@backfill/core/db/queries/rehearsal';
import { missingRoles } from '@backfill/core/domain/approvals';
import { moveBatch } from './change-batch.ts';

/**
 * Starts the run of a locked batch that waits for it, if nothing is missing any more: neither a signature nor the
 * rehearsal that its plan may ask for.
 */
export async function startRunWhenReady(client: Client, batch: BatchRow): Promise<void> {
  const { batch_id: batchId } = batch;
  if (batch.status !== 'awaiting_run_approval') return;
  const required = (await listRequiredRoles(client, [batchId])).get(batchId);
  const rehearsal = await getRehearsalState(client, batchId);
  if (required === undefined || rehearsal === undefined) return;
  if (rehearsal.required && rehearsal.recorded === null) return;
  const approvals = await listApprovals(client, [batchId]);
  if (missingRoles(required.run, approvals, 'run', batch.plan_hash).length > 0) return;
  await moveBatch(client, batch, { from: ['awaiting_run_approval'], to: 'preparing' });
}
