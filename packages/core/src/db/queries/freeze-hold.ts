import type { Queryable } from '../pool.ts';

/** Extends the freeze of a batch until an incident is closed, also when the batch is taken back. */
export async function holdFreeze(db: Queryable, batchId: string, incidentId: number, reason: string): Promise<void> {
  await db.query(
    `update analytics.backfill_freezes set held_by = $2, reason = 'extended: ' || $3, extended_at = clock_timestamp()
      where batch_id = $1 and lifted_at is null`,
    [batchId, incidentId, reason],
  );
}
