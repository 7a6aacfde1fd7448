import type { Queryable } from '../pool.ts';
import type { LineSpan } from './occurrences.ts';

/** Lines of a mirrored file that were emptied because their person is to be forgotten. */
export async function listErasedLines(
  db: Queryable,
  batchId: string,
  fileNo: number,
  { firstLine, lastLine }: LineSpan,
): Promise<ReadonlySet<number>> {
  const { rows } = await db.query<{ line_no: number }>(
    `select line_no from analytics.backfill_erased_lines
      where batch_id = $1 and file_no = $2 and line_no between $3 and $4`,
    [batchId, fileNo, firstLine, lastLine],
  );
  return new Set(rows.map((row) => Number(row.line_no)));
}
