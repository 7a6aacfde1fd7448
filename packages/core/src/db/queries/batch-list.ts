import type { BatchStatus } from '../../domain/batch-status.ts';
import type { Queryable } from '../pool.ts';
import type { BatchRow } from './batch-get.ts';

export interface BatchPage {
  /** Only batches in this status. */
  status?: BatchStatus | undefined;
  /** Only batches submitted before the one with this number. */
  before?: number | undefined;
  limit: number;
}

/** Batches, newest first. */
export async function listBatches(db: Queryable, page: BatchPage): Promise<BatchRow[]> {
  const { rows } = await db.query<BatchRow>(
    `select * from analytics.backfill_batches
      where ($1::text is null or status = $1) and ($2::bigint is null or batch_no < $2)
      order by batch_no desc limit $3`,
    [page.status ?? null, page.before ?? null, page.limit],
  );
  return rows;
}
