import type { Queryable } from '../pool.ts';

export interface FreezeRow {
  batch_id: string;
  source: string;
  window_start: Date;
  window_end: Date;
  reason: string;
  frozen_at: Date;
}

/** The windows that are frozen now, earliest first. */
export async function listOpenFreezes(db: Queryable): Promise<FreezeRow[]> {
  const { rows } = await db.query<FreezeRow>(
    `select f.batch_id, b.source, f.window_start, f.window_end, f.reason, f.frozen_at
       from analytics.backfill_freezes f join analytics.backfill_batches b using (batch_id)
      where f.lifted_at is null
      order by f.window_start, f.freeze_id`,
  );
  return rows;
}
