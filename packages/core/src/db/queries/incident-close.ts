import type { Queryable } from '../pool.ts';

/** Closes an incident, which lifts a freeze that only it holds. The caller has seen that it is open. */
export async function closeIncident(
  db: Queryable,
  incidentId: number,
  closed: { actor: string; note: string },
): Promise<void> {
  await db.query(
    `update analytics.backfill_incidents set closed_at = now(), closed_by = $2, note = $3
      where incident_id = $1 and closed_at is null`,
    [incidentId, closed.actor, closed.note],
  );
}
