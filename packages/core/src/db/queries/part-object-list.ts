import type { Queryable } from '../pool.ts';
import type { LinePlace } from './person-line-list.ts';

/** Objects of a batch's parts; only of those that have one of some lines, where they are given. */
export async function listPartObjects(db: Queryable, batchId: string, lines?: readonly LinePlace[]): Promise<string[]> {
  const { rows } = await db.query<{ object_key: string }>(
    `select distinct p.object_key from analytics.backfill_import_parts p
      where p.batch_id = $1 and p.object_key is not null
        and ($2::jsonb is null or exists (
              select 1 from jsonb_to_recordset($2::jsonb) as l (file_no integer, line_no bigint)
               where l.file_no = p.file_no and l.line_no >= p.first_line and l.line_no < p.first_line + p.line_count))
      order by 1`,
    [batchId, lines === undefined ? null : JSON.stringify(lines)],
  );
  return rows.map((row) => row.object_key);
}
