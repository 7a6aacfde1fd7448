import type { Queryable } from '../pool.ts';

/**
 * Has a batch looked through once more by the erasures that have done so. Nothing happens where none has.
 *
 * @param since the database's time: only by those that have done so since
 */
export async function reopenErasures(db: Queryable, batchId: string, since = '-infinity'): Promise<void> {
  await db.query(
    `with looked as (
       update analytics.backfill_erasure_batches set erased_at = null
        where batch_id = $1 and erased_at >= $2::timestamptz returning erasure_id
     )
     update analytics.backfill_erasures set ended_at = null, outcome = null, problems = '[]'
      where ended_at is not null and erasure_id in (select erasure_id from looked)`,
    [batchId, since],
  );
}
