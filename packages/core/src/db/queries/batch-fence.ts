import type { BatchStatus } from '../../domain/batch-status.ts';
import { DeferError, StaleWorkError } from '../../errors.ts';
import type { Queryable } from '../pool.ts';

/** What a transaction found when it began, and what must still hold when it commits. */
export interface BatchFence {
  batchId: string;
  epoch: number;
  statuses: readonly BatchStatus[];
}

/** Class of the advisory locks that work transactions hold on their batch's number, so that they can be found. */
const WORK_LOCK_CLASS = 7_403_113;
const ERASING_DELAY_MS = 500;

/**
 * First statement of every transaction that works for a batch: holds a rollback back until it ends (FOR KEY SHARE
 * against its FOR UPDATE) and refuses work for a batch that is elsewhere.
 *
 * @param epoch when given, the only epoch the work may run under.
 * @throws {StaleWorkError} when the batch is not in one of the statuses, or has another epoch.
 * @throws {DeferError} while an erasure replaces objects of the batch.
 */
export async function enterBatchFence(
  db: Queryable,
  batchId: string,
  statuses: readonly BatchStatus[],
  epoch?: number,
): Promise<BatchFence> {
  const { rows } = await db.query<{ status: BatchStatus; epoch: number; is_erasing: boolean }>(
    `select status, epoch, pg_advisory_xact_lock_shared(${WORK_LOCK_CLASS}, batch_no::int),
            exists (select 1 from analytics.backfill_erasure_objects o where o.batch_id = $1) as is_erasing
       from analytics.backfill_batches where batch_id = $1 for key share`,
    [batchId],
  );
  const batch = rows[0];
  if (batch === undefined || !statuses.includes(batch.status) || (epoch !== undefined && epoch !== batch.epoch)) {
    throw new StaleWorkError(`batch ${batchId} is ${batch?.status ?? 'unknown'} now`);
  }
  // The books are about the objects that are about to stand there.
  if (batch.is_erasing) throw new DeferError(`objects of batch ${batchId} are being replaced`, ERASING_DELAY_MS);
  return { batchId, epoch: batch.epoch, statuses };
}

/**
 * Last statement before the commit: a halt or a rollback since the beginning undoes the transaction. A process that
 * freezes between this and the commit loses its transaction after 3 s.
 *
 * @throws {StaleWorkError}
 */
export async function checkBatchFence(db: Queryable, fence: BatchFence): Promise<void> {
  const { rowCount } = await db.query(
    `select set_config('idle_in_transaction_session_timeout', '3s', true)
       from analytics.backfill_batches where batch_id = $1 and epoch = $2 and status = any ($3)`,
    [fence.batchId, fence.epoch, fence.statuses],
  );
  if (rowCount !== 1) throw new StaleWorkError(`batch ${fence.batchId} was stopped`);
}

/**
 * Ends transactions that still work for a batch which was stopped more than 2 s ago, whatever they hang in. They could
 * not commit any more, but a rollback and other importers wait for their locks. Nothing begins to work for a stopped
 * batch, so whatever does came before the stop; their times tell nothing, since a stop by hand takes effect only when
 * its own transaction, maybe an older one, ends. A stop from the future was before the clock went back.
 *
 * @returns how many were ended.
 */
export async function terminateStoppedWork(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ ended: number }>(
    `select count(*) filter (where pg_terminate_backend(l.pid)) as ended
       from analytics.backfill_batches b
       join pg_locks l on l.locktype = 'advisory' and l.classid = ${WORK_LOCK_CLASS} and l.objsubid = 2
                      and l.objid = b.batch_no::int::oid and l.granted
       join pg_stat_activity a on a.pid = l.pid and a.datname = current_database()
      where b.status in ('halted', 'failed', 'rolling_back') and (b.updated_at < now() - interval '2 seconds' or b.updated_at > now())
        and l.pid <> pg_backend_pid()`,
  );
  return rows[0]?.ended ?? 0;
}
