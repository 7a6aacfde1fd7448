import type { Queryable } from '../pool.ts';

export interface IncidentRow {
  incident_id: number;
  batch_id: string;
  kind: string;
  summary: string;
  raised_at: Date;
  post_mortem_due: Date;
  closed_at: Date | null;
  closed_by: string | null;
  /** Where the post-mortem is, or what else there is to say. */
  note: string | null;
}

/** All incidents of a batch, in the order in which they were raised. */
export async function listIncidents(db: Queryable, batchId: string): Promise<IncidentRow[]> {
  const { rows } = await db.query<IncidentRow>(
    'select * from analytics.backfill_incidents where batch_id = $1 order by incident_id',
    [batchId],
  );
  return rows;
}
