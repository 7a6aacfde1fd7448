import type { Queryable } from '../pool.ts';

/** Raises an incident; its post-mortem is due within 24 hours (runbook). */
export async function insertIncident(db: Queryable, batchId: string, kind: string, summary: string): Promise<void> {
  await db.query('insert into analytics.backfill_incidents (batch_id, kind, summary) values ($1, $2, $3)', [
    batchId,
    kind,
    summary,
  ]);
}
