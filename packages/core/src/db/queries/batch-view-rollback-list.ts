import type { RollbackProof } from '../../domain/rollback-proof.ts';
import type { Queryable } from '../pool.ts';

export interface RollbackRow extends RollbackProof {
  batch_id: string;
  rolled_back_at: Date;
}

/** The stored proof of the rollback of each of these batches' current attempts, where there was one. */
export async function listRollbacks(db: Queryable, batchIds: readonly string[]): Promise<RollbackRow[]> {
  const { rows } = await db.query<RollbackRow>(
    `select distinct on (r.batch_id)
            r.batch_id, r.mode, r.actor, r.tombstoned, r.keys_freed, r.live_rows_after, r.keys_after, r.left_outside,
            r.jobs_after, r.handed_over, r.others_before, r.others_after, r.others_recent, r.snapshot, r.replaced,
            r.rolled_back_at
       from analytics.backfill_rollbacks r join analytics.backfill_batches b using (batch_id, attempt)
      where r.batch_id = any ($1)
      order by r.batch_id, r.rollback_id desc`,
    [batchIds],
  );
  return rows;
}
