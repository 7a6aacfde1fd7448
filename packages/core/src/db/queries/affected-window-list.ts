import type { Queryable } from '../pool.ts';

/**
 * Windows of a source in which something was lost, repaired or frozen, other than the batch's own: those of all its
 * batches, whatever became of them, and of their freezes. An incident belongs to a batch, and has its window.
 *
 * @returns those that reach into `[startMs, endMs)`
 */
export async function listAffectedWindows(
  db: Queryable,
  { batchId, source, startMs, endMs }: { batchId: string; source: string; startMs: number; endMs: number },
): Promise<{ startMs: number; endMs: number }[]> {
  const { rows } = await db.query<{ window_start: Date; window_end: Date }>(
    `with affected as (
       select window_start, window_end from analytics.backfill_batches where source = $2 and batch_id <> $1
       union
       select f.window_start, f.window_end
         from analytics.backfill_freezes f join analytics.backfill_batches b using (batch_id)
        where b.source = $2 and batch_id <> $1
     )
     select window_start, window_end from affected where window_start < $4 and window_end > $3`,
    [batchId, source, new Date(startMs).toISOString(), new Date(endMs).toISOString()],
  );
  return rows.map((row) => ({ startMs: row.window_start.getTime(), endMs: row.window_end.getTime() }));
}
