import type { Queryable } from '../pool.ts';

/** Drops the staging leaves of batches that have been complete for `keepHours`, with an audit entry each. */
export async function purgeStagedRows(
  db: Queryable,
  keepHours: number,
): Promise<{ batch_id: string; staged: number }[]> {
  const { rows } = await db.query<{ batch_id: string; staged: number }>(
    `select * from analytics.purge_staging($1 * interval '1 hour')`,
    [keepHours],
  );
  return rows;
}

/** How many staged rows a batch has, counted up to a limit. */
export async function countStagedUpTo(db: Queryable, batchId: string, limit: number): Promise<number> {
  const { rows } = await db.query<{ rows: number }>(
    `select count(*) as rows from (
       select from analytics.events_backfill_staging where batch_id = $1 limit $2) as counted`,
    [batchId, limit],
  );
  return rows[0]?.rows ?? 0;
}
