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
