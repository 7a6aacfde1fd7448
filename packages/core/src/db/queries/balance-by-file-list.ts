import type { Queryable } from '../pool.ts';
import type { BalanceRow } from './balance-by-batch-list.ts';

export interface FileBalanceRow extends Omit<BalanceRow, 'batch_id'> {
  source_file: string;
  size: number;
  sha256: string;
  compression: string;
  format: string;
  /** Lines of the whole file, from the plan. */
  lines: number;
  /** Of the pseudonymised copy in the mirror; null where the mirror holds the file itself. */
  copy_size: number | null;
  copy_sha256: string | null;
}

/** The balance of each pinned file of the batch, in the order of the plan; all zero until its first import. */
export async function listFileBalances(db: Queryable, batchId: string): Promise<FileBalanceRow[]> {
  const { rows } = await db.query<FileBalanceRow>(
    `with imported as (
       select file_no, sum(line_count) as read, sum(inserted) as inserted,
              sum(duplicate_same_batch) as same_batch, sum(duplicate_other_batch) as other_batch,
              sum(duplicate_live) as live, sum(suppressed) as suppressed, sum(expired) as expired,
              sum(filtered) as filtered, sum(quarantined) as quarantined
         from analytics.backfill_import_parts
        where batch_id = $1 and state = 'imported'
        group by file_no
     )
     select f.source_file, f.size, f.sha256, f.compression, f.format, f.line_count as lines, f.copy_size, f.copy_sha256,
            coalesce(i.read, 0) as read, coalesce(i.inserted, 0) as inserted,
            coalesce(i.same_batch, 0) as same_batch, coalesce(i.other_batch, 0) as other_batch,
            coalesce(i.live, 0) as live, coalesce(i.suppressed, 0) as suppressed, coalesce(i.expired, 0) as expired,
            coalesce(i.filtered, 0) as filtered, coalesce(i.quarantined, 0) as quarantined
       from analytics.backfill_files f left join imported i using (file_no)
      where f.batch_id = $1
      order by f.file_no`,
    [batchId],
  );
  return rows;
}
