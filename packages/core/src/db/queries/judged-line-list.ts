import type { Queryable } from '../pool.ts';

/** Lines [first, first + count) of a file that the transformer has accepted or quarantined. */
export async function listJudgedLines(
  db: Queryable,
  stretch: { batchId: string; sourceFile: string; firstLine: number; lineCount: number },
): Promise<number[]> {
  const { batchId, sourceFile, firstLine, lineCount } = stretch;
  const { rows } = await db.query<{ line_no: number }>(
    `select line_no from analytics.backfill_event_checkpoint_raw
      where batch_id = $1 and source_file = $2 and line_no >= $3 and line_no < $4
     union all
     select line_no from analytics.backfill_quarantine
      where batch_id = $1 and source_file = $2 and line_no >= $3 and line_no < $4`,
    [batchId, sourceFile, firstLine, firstLine + lineCount],
  );
  return rows.map((row) => row.line_no);
}
