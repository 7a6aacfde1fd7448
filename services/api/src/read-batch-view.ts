import type { Queryable } from '@backfill/core/db/pool';
import { listApprovals } from '@backfill/core/db/queries/approval-list';
import { listRequiredRoles } from '@backfill/core/db/queries/approval-policy-list';
import { listBatchBalances } from '@backfill/core/db/queries/balance-by-batch-list';
import { listFileBalances } from '@backfill/core/db/queries/balance-by-file-list';
import { type BatchRow, getBatch } from '@backfill/core/db/queries/batch-get';
import { listProgress, NO_PROGRESS } from '@backfill/core/db/queries/batch-view-progress-list';
import { listRollbacks } from '@backfill/core/db/queries/batch-view-rollback-list';
import { listGateResults } from '@backfill/core/db/queries/gate-result-list';
import { type BatchFacts, toBatchDetail, toBatchView } from './batch-view.ts';
import { unknownBatch } from './problem.ts';
import { readPeopleView } from './read-people-view.ts';
import type { BatchDetail, BatchView } from './schemas/batch-view.ts';

function byBatch<R extends { batch_id: string }>(rows: readonly R[]): (batchId: string) => R[] {
  const groups = Map.groupBy(rows, (row) => row.batch_id);
  return (batchId) => groups.get(batchId) ?? [];
}

// The batches were read before all this, so that a status is never newer than the numbers shown with it.
async function readFacts(db: Queryable, batches: readonly BatchRow[]): Promise<BatchFacts[]> {
  const ids = batches.map((batch) => batch.batch_id);
  const progress = await listProgress(db, ids);
  const balance = byBatch(await listBatchBalances(db, ids));
  const gates = byBatch(await listGateResults(db, ids));
  const approvals = byBatch(await listApprovals(db, ids));
  const rollbacks = byBatch(await listRollbacks(db, ids));
  const required = await listRequiredRoles(db, ids);
  return batches.map((batch) => ({
    batch,
    progress: progress.get(batch.batch_id) ?? NO_PROGRESS,
    balance: balance(batch.batch_id)[0],
    gates: gates(batch.batch_id),
    approvals: approvals(batch.batch_id),
    rollback: rollbacks(batch.batch_id)[0],
    required: required.get(batch.batch_id),
  }));
}

/** The views of these batches, in their order. */
export async function readBatchViews(db: Queryable, batches: readonly BatchRow[]): Promise<BatchView[]> {
  return (await readFacts(db, batches)).map(toBatchView);
}

/**
 * One batch in full.
 *
 * @throws {Problem} 404
 */
export async function readBatchDetail(db: Queryable, batchId: string): Promise<BatchDetail> {
  const batch = await getBatch(db, batchId);
  if (batch === undefined) throw unknownBatch();
  const [facts] = await readFacts(db, [batch]);
  const people = await readPeopleView(db, batchId);
  const files = await listFileBalances(db, batchId);
  return toBatchDetail(facts as BatchFacts, people, files);
}
