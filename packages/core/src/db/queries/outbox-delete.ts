import type { Queryable } from '../pool.ts';

/** Strikes a finished piece of work off. */
export async function deleteOutboxEntry(db: Queryable, jobId: string): Promise<void> {
  await db.query('delete from analytics.backfill_outbox where job_id = $1', [jobId]);
}
