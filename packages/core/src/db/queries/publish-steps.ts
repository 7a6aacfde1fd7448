import type { Client, Queryable } from '../pool.ts';
import type { PublishCounts } from './publish-rows.ts';

/** What is to be done next of a publish. */
export type PublishStep = 'snapshot' | 'rows' | 'count' | 'done';

/** One publish of a batch, from the go to its end. */
export interface PublishRow {
  publish_id: number;
  batch_id: string;
  attempt: number;
  gate_set_hash: string | null;
  step: PublishStep;
  outcome: 'published' | 'sent_back' | 'miscounted' | 'taken_back' | null;
  go_by: string;
  go_at: Date;
  visible_due: Date;
  snapshot_path: string | null;
  snapshot_sha256: string | null;
  snapshot_bytes: number | null;
  snapshot_rows: number | null;
  snapshot_mark: string | null;
  snapshot_at: Date | null;
  published: number | null;
  taken_over: number | null;
  newly_suppressed: number | null;
  newly_live: number | null;
  withheld: number | null;
  /** What the batch replaces: tombstoned, and how much of it had changed since the signatures. */
  replaced: number | null;
  replaced_since: number | null;
  /** Of the live rows, as the transaction left them; see `fingerprintLive`. */
  fingerprint: string | null;
  /** sha256 over the sorted ids of what was published, each with a line end; null where something was left out. */
  checksum: string | null;
  visible_at: Date | null;
  /** From the go until readers saw the rows. */
  visible_seconds: number | null;
  counted: number | null;
  counted_at: Date | null;
  ended_at: Date | null;
}

/** The publish that is under way for the batch. */
export async function getOpenPublish(db: Queryable, batchId: string): Promise<PublishRow | undefined> {
  const { rows } = await db.query<PublishRow>(
    'select * from analytics.backfill_publishes where batch_id = $1 and outcome is null',
    [batchId],
  );
  return rows[0];
}

/** The last publish of the batch's current attempt, if there was a go. */
export async function getLastPublish(db: Queryable, batchId: string): Promise<PublishRow | undefined> {
  const { rows } = await db.query<PublishRow>(
    `select p.* from analytics.backfill_publishes p join analytics.backfill_batches b using (batch_id, attempt)
      where p.batch_id = $1 order by p.publish_id desc limit 1`,
    [batchId],
  );
  return rows[0];
}

/** Class of the advisory locks on publishes. */
const PUBLISH_LOCK_CLASS = 7_403_115;

/**
 * Holds a publish until the transaction ends, so that a twin of it waits. By an advisory lock: its row is changed by whoever
 * stops the batch, under the batch's row, which this transaction comes to only later.
 *
 * @returns false when it has ended, or is at none of the steps
 */
export async function holdPublishAt(db: Client, publishId: number, steps: readonly PublishStep[]): Promise<boolean> {
  await db.query(`select pg_advisory_xact_lock(${PUBLISH_LOCK_CLASS}, $1::int)`, [publishId]);
  const { rowCount } = await db.query(
    `select 1 from analytics.backfill_publishes where publish_id = $1 and outcome is null and step = any ($2)`,
    [publishId, steps],
  );
  return rowCount === 1;
}

/** What stands in the archive of the window before a publish. */
export interface StoredSnapshot {
  path: string;
  sha256: string;
  bytes: number;
  rows: number;
  mark: string;
}

/**
 * Notes the snapshot of a publish: the rows are next.
 *
 * @returns false when a twin has noted one
 */
export async function notePublishSnapshot(
  db: Queryable,
  publishId: number,
  snapshot: StoredSnapshot,
): Promise<boolean> {
  const { rowCount } = await db.query(
    `with noted as (
       update analytics.backfill_publishes
          set step = 'rows', snapshot_path = $2, snapshot_sha256 = $3, snapshot_bytes = $4, snapshot_rows = $5,
              snapshot_mark = $6, snapshot_at = clock_timestamp()
        where publish_id = $1 and step = 'snapshot' and outcome is null
       returning batch_id
     )
     update analytics.backfill_batches_metadata m
        set snapshot_start = b.window_start, snapshot_end = b.window_end, snapshot_path = $2, snapshot_checksum = $3
       from noted join analytics.backfill_batches b using (batch_id)
      where m.batch_id = noted.batch_id`,
    [publishId, snapshot.path, snapshot.sha256, snapshot.bytes, snapshot.rows, snapshot.mark],
  );
  return rowCount === 1;
}

/**
 * Notes that the rows are live: their count is next. In the transaction that makes them live.
 *
 * @returns false when a twin has made them live
 */
export async function notePublishedRows(
  db: Queryable,
  publishId: number,
  done: PublishCounts & {
    taken_over: number;
    fingerprint: string;
    checksum: string | null;
    replaced: number;
    replaced_since: number;
  },
): Promise<boolean> {
  const { rowCount } = await db.query(
    `update analytics.backfill_publishes p
        set step = 'count', published = $2, taken_over = $3, newly_suppressed = $4, newly_live = $5, fingerprint = $6,
            checksum = $7, replaced = $8, replaced_since = $9,
            withheld = (select count(*) from analytics.backfill_losers l where l.loser_batch_id = p.batch_id and l.withheld),
            visible_at = clock_timestamp(),
            visible_seconds = greatest(0, extract(epoch from clock_timestamp() - go_at))
      where publish_id = $1 and step = 'rows' and outcome is null`,
    [
      ...[publishId, done.published, done.taken_over, done.newly_suppressed, done.newly_live],
      ...[done.fingerprint, done.checksum, done.replaced, done.replaced_since],
    ],
  );
  return rowCount === 1;
}

/** Notes how many rows were found live afterwards. */
export async function notePublishCount(db: Queryable, publishId: number, counted: number): Promise<void> {
  await db.query(
    `update analytics.backfill_publishes set counted = $2, counted_at = clock_timestamp() where publish_id = $1`,
    [publishId, counted],
  );
}

/** Ends a publish whose count did not agree. */
export async function endMiscountedPublish(db: Queryable, publishId: number): Promise<void> {
  await db.query(
    `update analytics.backfill_publishes set outcome = 'miscounted', ended_at = clock_timestamp() where publish_id = $1`,
    [publishId],
  );
}
