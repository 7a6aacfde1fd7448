import type { Queryable } from '../pool.ts';

export interface PublishCounts {
  published: number;
  /** Rows whose person was suppressed since they were staged. */
  newly_suppressed: number;
  /** Rows that live ingestion delivered since they were verified. */
  newly_live: number;
}

/** The UTC days of the batch's rows to publish, as `YYYY-MM-DD`. */
export async function listDaysToPublish(db: Queryable, batchId: string): Promise<string[]> {
  const { rows } = await db.query<{ day: string }>(
    `select distinct (event_ts at time zone 'UTC')::date::text as day
       from analytics.events_backfill_staging where batch_id = $1 and not is_duplicate order by 1`,
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

/** Makes the batch's staged rows live: the one statement that writes batches into the stored events. */
export async function publishRows(db: Queryable, batchId: string): Promise<PublishCounts> {
  const { rows } = await db.query<PublishCounts>('select * from analytics.publish_batch_rows($1)', [batchId]);
  return rows[0] ?? { published: 0, newly_suppressed: 0, newly_live: 0 };
}

/** Records staged rows that somebody else has live by now as lost to them. */
export async function recordNewlyLive(db: Queryable, batchId: string): Promise<void> {
  await db.query(
    `insert into analytics.backfill_losers (loser_batch_id, event_id, winner_batch_id)
     select $1, s.event_id, l.batch_id
       from analytics.events_backfill_staging s
       join analytics.backfill_batches b on b.batch_id = s.batch_id
       join analytics.events_log l on l.event_id = s.event_id and l.event_ts = s.event_ts and l.deleted_at is null
      where s.batch_id = $1 and not s.is_duplicate and l.batch_id is distinct from $1
      order by s.event_id
     on conflict do nothing`,
    [batchId],
  );
}

/** Staged rows of the batch that are overlap: flagged as such at import, or lost to others since. */
export async function countOverlap(db: Queryable, batchId: string): Promise<{ staged: number; overlap: number }> {
  const { rows } = await db.query<{ staged: number; overlap: number }>(
    `select count(*) as staged, count(*) filter (where duplicate_kind in ('other_batch', 'live')) as overlap
       from analytics.events_backfill_staging where batch_id = $1`,
    [batchId],
  );
  return rows[0] ?? { staged: 0, overlap: 0 };
}

/** Stamps the batch and its metadata with what was published. */
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
  await db.query(
    'update analytics.backfill_batches_metadata set applied_at = now(), checksum = $2 where batch_id = $1',
    [batchId, published.checksum],
  );
}
