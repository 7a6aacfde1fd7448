import type { Queryable } from '../pool.ts';

/** A rollback that left an event to somebody else who had delivered it. */
export interface TracedHandover {
  from_batch_id: string;
  /** Null: live ingestion. */
  to_batch_id: string | null;
  /** True where nobody got it because the person is suppressed. */
  is_suppressed: boolean;
  handed_over_at: Date;
}

export const TRACED_HANDOVERS_SQL = `
  select from_batch_id, to_batch_id, is_suppressed, handed_over_at
    from analytics.backfill_handovers where event_id = $1 order by handed_over_at limit 1000`;

/** How the event went from batch to batch by rollbacks, in their order. */
export async function listTracedHandovers(db: Queryable, eventId: string): Promise<TracedHandover[]> {
  const { rows } = await db.query<TracedHandover>(TRACED_HANDOVERS_SQL, [eventId]);
  return rows;
}
