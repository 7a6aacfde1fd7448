import type { Queryable } from '../pool.ts';

export interface PublishCounts {
  published: number;
  /** Rows whose person was suppressed since they were staged. */
  newly_suppressed: number;
  /** Rows that somebody else published or delivered live since they were verified. */
  newly_live: number;
  /** Those among them that the batch would have taken over from another one. */
  not_taken_over: number;
}

/** The UTC days of the batch's rows to publish, as the verification found them, as `YYYY-MM-DD`. */
export async function listDaysToPublish(db: Queryable, batchId: string): Promise<string[]> {
  const { rows } = await db.query<{ day: string }>(
    'select unnest(publish_days)::text as day from analytics.backfill_batches where batch_id = $1 order by 1',
    [batchId],
  );
  return rows.map((row) => row.day);
}

/** Creates the partition of a day, if it is missing. In a transaction of its own, since live writers wait meanwhile. */
export async function ensureEventDay(db: Queryable, day: string): Promise<void> {
  await db.query('select analytics.ensure_event_day($1::date)', [day]);
}

/** Keeps the batch's staged rows as they are until the transaction ends. */
export async function lockStagedRows(db: Queryable, batchId: string): Promise<void> {
  await db.query('select analytics.lock_staging_leaf($1)', [batchId]);
}

/**
 * Makes the batch's staged rows live: the one statement that writes batches into the stored events.
 *
 * @param signed how many rows there are to publish
 */
export async function publishRows(db: Queryable, batchId: string, signed: number): Promise<PublishCounts> {
  const { rows } = await db.query<PublishCounts>('select * from analytics.publish_batch_rows($1, $2)', [
    batchId,
    signed,
  ]);
  return rows[0] ?? { published: 0, newly_suppressed: 0, newly_live: 0, not_taken_over: 0 };
}

/** The suppressions as they are now, for comparison: their number and a sum of hashes. */
export async function readSuppressionState(db: Queryable): Promise<string> {
  const { rows } = await db.query<{ state: string }>(
    `select count(*)::text || ':' || coalesce(sum(hashtextextended(subject_id || effective_from::text, 0)::numeric), 0)::text
              as state
       from analytics.privacy_suppressions`,
  );
  return rows[0]?.state ?? '';
}

/** Holds new suppressions back until the transaction ends, after waiting for those that are about to be committed. */
export async function holdSuppressions(db: Queryable): Promise<void> {
  await db.query('lock table analytics.privacy_suppressions in share mode');
}

/** Takes out of what was just published what belongs to people who were suppressed meanwhile, and books it. */
export async function unpublishSuppressed(db: Queryable, batchId: string): Promise<number> {
  const { rows } = await db.query<{ rows: number }>('select analytics.unpublish_suppressed($1) as rows', [batchId]);
  return rows[0]?.rows ?? 0;
}

/** Rows by their number and a sum of hashes: equal for the same set, whatever the order. */
export interface Fingerprint {
  rows: number;
  fingerprint: string;
}

/** Over all columns: the signed digest covers payload, source and time by the id, which nobody computes again here. */
const FINGERPRINT = `
  select count(*) as rows,
         count(*)::text || ':' || coalesce(sum(hash_record_extended(
           row(r.event_id, r.source, r.event_name, r.schema_version, r.event_ts, r.session_id, r.subject_id,
               hashtextextended(r.payload::text, 0)), 0)), 0)::text as fingerprint`;

/** Takes the fingerprint of the batch's live rows. */
export async function fingerprintLive(db: Queryable, batchId: string): Promise<Fingerprint> {
  const { rows } = await db.query<Fingerprint>(
    `${FINGERPRINT}
       from analytics.events_log r, analytics.backfill_batches b
      where b.batch_id = $1 and r.batch_id = $1 and r.deleted_at is null
        and r.event_ts >= b.window_start and r.event_ts < b.window_end`,
    [batchId],
  );
  return rows[0] ?? { rows: 0, fingerprint: '0:0' };
}

/** Takes the fingerprint of the batch's rows to publish: the one that its live rows have when all of them are published. */
export async function fingerprintRowsToPublish(db: Queryable, batchId: string): Promise<Fingerprint> {
  const { rows } = await db.query<Fingerprint>(
    `${FINGERPRINT} from analytics.backfill_rows_to_publish r where r.batch_id = $1`,
    [batchId],
  );
  return rows[0] ?? { rows: 0, fingerprint: '0:0' };
}

/** Takes the fingerprint of those of the batch's rows to publish that are live of it, as they are staged. */
export async function fingerprintWrittenRows(db: Queryable, batchId: string): Promise<Fingerprint> {
  const { rows } = await db.query<Fingerprint>(
    `${FINGERPRINT}
       from analytics.backfill_rows_to_publish r
      where r.batch_id = $1 and r.event_id in (
        select e.event_id from analytics.events_log e, analytics.backfill_batches b
         where b.batch_id = $1 and e.batch_id = $1 and e.deleted_at is null
           and e.event_ts >= b.window_start and e.event_ts < b.window_end)`,
    [batchId],
  );
  return rows[0] ?? { rows: 0, fingerprint: '0:0' };
}

/**
 * Says of a batch that its rows are live, in the transaction that makes them so.
 *
 * @returns false when the batch was stopped
 */
export async function setRowsLive(db: Queryable, batchId: string, epoch: number): Promise<boolean> {
  const { rowCount } = await db.query(
    `update analytics.backfill_batches set rows_live = true
      where batch_id = $1 and status = 'publishing' and epoch = $2`,
    [batchId, epoch],
  );
  // Not of the transaction's begin: who replaced live rows first is told by it, and that one may have begun later.
  await db.query('update analytics.backfill_batches_metadata set applied_at = clock_timestamp() where batch_id = $1', [
    batchId,
  ]);
  return rowCount === 1;
}

/** Stamps the batch and its metadata with what was counted. */
export async function setPublished(
  db: Queryable,
  batchId: string,
  published: { rowCount: number; checksum: string },
): Promise<void> {
  await db.query('update analytics.backfill_batches set row_count = $2, checksum = $3 where batch_id = $1', [
    batchId,
    published.rowCount,
    published.checksum,
  ]);
  await db.query('update analytics.backfill_batches_metadata set checksum = $2 where batch_id = $1', [
    batchId,
    published.checksum,
  ]);
}
