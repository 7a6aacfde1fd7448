import type { Queryable } from '../pool.ts';

/** Lines by outcome; the three kinds of duplicate apart. */
export interface BalanceRow {
  batch_id: string;
  read: number;
  inserted: number;
  same_batch: number;
  other_batch: number;
  live: number;
  suppressed: number;
  expired: number;
  filtered: number;
  quarantined: number;
}

/**
 * The balance of each of these batches. Only imported parts count: the lines of a part that still waits for its import
 * have no final outcome, so that `read` is the sum of the others at any moment.
 */
export async function listBatchBalances(db: Queryable, batchIds: readonly string[]): Promise<BalanceRow[]> {
  const { rows } = await db.query<BalanceRow>(
    `select batch_id, sum(line_count) as read, sum(inserted) as inserted,
            sum(duplicate_same_batch) as same_batch, sum(duplicate_other_batch) as other_batch,
            sum(duplicate_live) as live, sum(suppressed) as suppressed, sum(expired) as expired,
            sum(filtered) as filtered, sum(quarantined) as quarantined
       from analytics.backfill_import_parts
      where batch_id = any ($1) and state = 'imported'
      group by batch_id`,
    [batchIds],
  );
  return rows;
}
