import type { Queryable } from '../pool.ts';

/** The keys of a source's events from before a moment: an id begins with source and time, so they lie side by side. */
export interface KeyRange {
  /** Ids after this one. */
  after: string;
  /** Ids before this one. */
  end: string;
}

/** @param before midnight UTC */
export function expiredKeyRange(source: string, before: Date): KeyRange {
  return { after: `${source}:`, end: expiredIdBound(source, before) };
}

/** Ids of the source that are less than this one (in byte order) are of events from before the moment. */
export function expiredIdBound(source: string, before: Date): string {
  return `${source}:${before.toISOString().slice(0, 10).replaceAll('-', '')}`;
}

/**
 * Deletes the first so many keys of a range that are not of these batches.
 *
 * @returns how many went, and the last key that was looked at; null when there is none left
 */
export async function deleteExpiredKeys(
  db: Queryable,
  { after, end }: KeyRange,
  keep: readonly string[],
  limit: number,
): Promise<{ deleted: number; last: string | null }> {
  // By the ends of the page and not by its keys: a join of both may read all keys there are.
  const { rows } = await db.query<{ last: string }>(
    `select event_id as last from (
       select event_id from analytics.backfill_event_checkpoint
        where event_id > $1 and event_id < $2 order by event_id limit $3) as page
      order by event_id desc limit 1`,
    [after, end, limit],
  );
  const last = rows[0]?.last;
  if (last === undefined) return { deleted: 0, last: null };
  const { rowCount } = await db.query(
    `delete from analytics.backfill_event_checkpoint
      where event_id > $1 and event_id <= $2 and batch_id <> all ($3)`,
    [after, last, keep],
  );
  return { deleted: rowCount ?? 0, last };
}

/** How many keys of a range would go, counted up to a limit. */
export async function countExpiredKeys(
  db: Queryable,
  { after, end }: KeyRange,
  keep: readonly string[],
  limit: number,
): Promise<number> {
  const { rows } = await db.query<{ rows: number }>(
    `select count(*) as rows from (
       select from analytics.backfill_event_checkpoint
        where event_id > $1 and event_id < $2 and batch_id <> all ($3) limit $4) as counted`,
    [after, end, keep, limit],
  );
  return rows[0]?.rows ?? 0;
}
