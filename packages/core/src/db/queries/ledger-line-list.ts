import type { Queryable } from '../pool.ts';

/** What the ledger says of a line; lines that it does not have were filtered, expired or suppressed. */
export interface LedgerLine {
  line_no: number;
  /** Null for a quarantined line. */
  event_id: string | null;
}

/** The accepted and quarantined lines of a file behind the given one, in order, at most `limit` of them. */
export async function listLedgerLines(
  db: Queryable,
  batchId: string,
  sourceFile: string,
  afterLine: number,
  limit: number,
): Promise<LedgerLine[]> {
  const { rows } = await db.query<LedgerLine>(
    `(select line_no, event_id from analytics.backfill_event_checkpoint_raw
       where batch_id = $1 and source_file = $2 and line_no > $3 order by line_no limit $4)
     union all
     (select line_no, null from analytics.backfill_quarantine
       where batch_id = $1 and source_file = $2 and line_no > $3 order by line_no limit $4)
     order by line_no, event_id limit $4`,
    [batchId, sourceFile, afterLine, limit],
  );
  return rows;
}
