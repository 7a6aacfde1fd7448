import type { Queryable } from '../pool.ts';

export interface StoredRow {
  /** null: delivered by live ingestion. */
  batch_id: string | null;
  event_name: string;
  schema_version: string;
  session_id: string | null;
  subject_id: string | null;
  /** The stored text. */
  payload: string;
  /** Whether the id is what the row gives: else somebody has put something else into it. */
  is_authentic: boolean;
  ingested_at: Date;
  deleted_at: Date | null;
  /** Of a tombstone: the batch that replaced it, and brings it back when it is rolled back. */
  replaced_by: string | null;
  /** True for somebody whose events are not to be shown or restored any more. */
  is_suppressed: boolean;
}

// Two halves: each has an index of its own.
export const STORED_ROWS_SQL = `
  select batch_id, event_name, schema_version, session_id, subject_id, payload::text as payload,
         analytics.event_id(source, event_ts, payload) = event_id as is_authentic, ingested_at, deleted_at, replaced_by,
         exists (select 1 from analytics.privacy_suppressions p
                  where p.subject_id = stored.subject_id and p.effective_from <= now()) as is_suppressed
    from (select * from analytics.events_log
           where event_id = $1 and event_ts = $2 and deleted_at is null
          union all
          select * from analytics.events_log
           where event_id = $1 and event_ts = $2 and deleted_at is not null) stored
   order by deleted_at desc nulls first
   limit 100`;

/** The stored rows of an event: at most one that is live, first, and those that were tombstoned, newest first. */
export async function listStoredRows(db: Queryable, event: { eventId: string; eventTs: Date }): Promise<StoredRow[]> {
  const { rows } = await db.query<StoredRow>(STORED_ROWS_SQL, [event.eventId, event.eventTs]);
  return rows;
}
