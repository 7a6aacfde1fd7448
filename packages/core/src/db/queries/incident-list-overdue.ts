import type { Queryable } from '../pool.ts';
import type { IncidentRow } from './incident-list.ts';

/** Open incidents whose post-mortem should be written by now, the oldest first, at most so many. */
export async function listOverdueIncidents(db: Queryable, most: number): Promise<IncidentRow[]> {
  const { rows } = await db.query<IncidentRow>(
    `select * from analytics.backfill_incidents
      where closed_at is null and post_mortem_due < now()
      order by post_mortem_due, incident_id limit $1`,
    [most],
  );
  return rows;
}
