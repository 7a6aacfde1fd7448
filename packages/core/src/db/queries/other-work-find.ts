import type { Queryable } from '../pool.ts';

/** True when a queue has work of other batches that may be done now. */
export async function hasWorkOfOthers(db: Queryable, queue: string, batchId: string): Promise<boolean> {
  const { rows } = await db.query<{ found: boolean }>(
    `select exists (
       select 1 from analytics.backfill_outbox o join analytics.backfill_batches b using (batch_id)
        where o.queue = $1 and o.batch_id <> $2 and b.status = any (o.when_status)) as found`,
    [queue, batchId],
  );
  return rows[0]?.found ?? false;
}
