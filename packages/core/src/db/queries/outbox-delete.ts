import type { Queryable } from '../pool.ts';

/**
 * Strikes a finished piece of work off. By the entry's number and not by its job: while a job ran, its entry may have become
 * void and the same work been written down anew, for what came after.
 */
export async function deleteOutboxEntry(db: Queryable, outboxId: number): Promise<void> {
  await db.query('delete from analytics.backfill_outbox where outbox_id = $1', [outboxId]);
}
