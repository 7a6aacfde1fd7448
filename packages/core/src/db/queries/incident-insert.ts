import type { Queryable } from '../pool.ts';

/** Raises an incident; its post-mortem is due within 24 hours (runbook). Returns its number. */
export async function insertIncident(db: Queryable, batchId: string, kind: string, summary: string): Promise<number> {
  const { rows } = await db.query<{ incident_id: number }>(
    'insert into analytics.backfill_incidents (batch_id, kind, summary) values ($1, $2, $3) returning incident_id',
    [batchId, kind, summary],
  );
  return rows[0]?.incident_id ?? 0;
}

/** The same, unless one of its kind is open for the batch: what comes again and again is told once. */
export async function insertIncidentOnce(db: Queryable, batchId: string, kind: string, summary: string): Promise<void> {
  await db.query(
    `insert into analytics.backfill_incidents (batch_id, kind, summary)
     select $1, $2, $3 where not exists (
       select 1 from analytics.backfill_incidents where batch_id = $1 and kind = $2 and closed_at is null)`,
    [batchId, kind, summary],
  );
}
