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

/** The UTC days of the batch's rows to publish, as `YYYY-MM-DD`. */
export async function listDaysToPublish(db: Queryable, batchId: string): Promise<string[]> {
  const { rows } = await db.query<{ day: string }>(
    `select distinct (event_ts at time zone 'UTC')::date::text as day
       from analytics.backfill_rows_to_publish where batch_id = $1 order by 1`,
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
  return rows[0] ?? { published: 0, newly_suppressed: 0, newly_live: 0, not_taken_over: 0 };
}

/** Staged rows of the batch, and those among them that somebody else had at their import. */
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
