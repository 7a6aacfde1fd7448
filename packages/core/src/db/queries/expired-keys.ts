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
  const { rows } = await db.query<{ deleted: number; last: string | null }>(
    `with page as (
       select event_id, batch_id from analytics.backfill_event_checkpoint
        where event_id > $1 and event_id < $2 order by event_id limit $3
     ), gone as (
       delete from analytics.backfill_event_checkpoint k using page p
        where k.event_id = p.event_id and k.batch_id <> all ($4) returning 1
     )
     select (select count(*) from gone) as deleted, (select max(event_id) from page) as last`,
    [after, end, limit, keep],
  );
  return rows[0] ?? { deleted: 0, last: null };
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
