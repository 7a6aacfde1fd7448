import type { Queryable } from '../pool.ts';

export const KEY_OWNER_SQL = 'select batch_id from analytics.backfill_event_checkpoint where event_id = $1';

/** The batch that holds the event's key in the dedup store, or undefined. */
export async function getKeyOwner(db: Queryable, eventId: string): Promise<string | undefined> {
  const { rows } = await db.query<{ batch_id: string }>(KEY_OWNER_SQL, [eventId]);
  return rows[0]?.batch_id;
}
