import type { Queryable } from '../pool.ts';

/** Somebody who delivered an event that another one has. */
export interface TracedLoser {
  /** Null: live ingestion. */
  batch_id: string | null;
  /** To whom; null: live ingestion, or, where live ingestion lost, the batch that had the event. */
  winner_batch_id: string | null;
  /** True where the batch left it out because the person was suppressed. */
  withheld: boolean;
  recorded_at: Date;
}

export const TRACED_LOSERS_SQL = `
  select loser_batch_id as batch_id, winner_batch_id, withheld, recorded_at
    from analytics.backfill_losers where event_id = $1
  union all
  select null, null, false, delivered_at from analytics.backfill_live_losses where event_id = $1
   order by recorded_at limit 1000`;

/** Who delivered the event too and did not get it, or left it out. */
export async function listTracedLosers(db: Queryable, eventId: string): Promise<TracedLoser[]> {
  const { rows } = await db.query<TracedLoser>(TRACED_LOSERS_SQL, [eventId]);
  return rows;
}
