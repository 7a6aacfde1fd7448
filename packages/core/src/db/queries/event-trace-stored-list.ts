import type { Queryable } from '../pool.ts';

export interface StoredRow {
  /** null: delivered by live ingestion. */
  batch_id: string | null;
  ingested_at: Date;
  deleted_at: Date | null;
  /** Of a tombstone: the batch that replaced it, and brings it back when it is rolled back. */
  replaced_by: string | null;
}

/** The stored rows of an event: at most one that is live, first, and those that were tombstoned, newest first. */
export async function listStoredRows(db: Queryable, event: { eventId: string; eventTs: Date }): Promise<StoredRow[]> {
  const { rows } = await db.query<StoredRow>(
    `select batch_id, ingested_at, deleted_at, replaced_by from analytics.events_log
      where event_id = $1 and event_ts = $2
      order by deleted_at desc nulls first
      limit 100`,
    [event.eventId, event.eventTs],
  );
  return rows;
}
