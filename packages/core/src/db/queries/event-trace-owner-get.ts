import type { Queryable } from '../pool.ts';

/** The batch that holds the event's key in the dedup store, or undefined. */
export async function getKeyOwner(db: Queryable, eventId: string): Promise<string | undefined> {
  const { rows } = await db.query<{ batch_id: string }>(
    'select batch_id from analytics.backfill_event_checkpoint where event_id = $1',
    [eventId],
  );
  return rows[0]?.batch_id;
}
