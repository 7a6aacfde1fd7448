import type { Queryable } from '../pool.ts';

/** What was looked through for late deliveries of live ingestion. */
export interface LateSweep {
  batch_id: string;
  /** Events that are live again. */
  events: number;
}

/** Notes which transactions may have seen the rows of rollbacks that are committed by now. Before {@link sweepLateDeliveries}. */
export async function noteLateHorizons(db: Queryable): Promise<void> {
  await db.query('select analytics.note_late_horizons()');
}

/**
 * Makes live what live ingestion delivered while a batch that had it was being taken back, of one rollback.
 *
 * @returns undefined when no rollback is left to look through, or somebody may be under way who has seen its rows live
 */
export async function sweepLateDeliveries(db: Queryable): Promise<LateSweep | undefined> {
  const { rows } = await db.query<LateSweep>('select batch_id, events from analytics.sweep_late_deliveries()');
  return rows[0];
}
