import type { Queryable } from '../pool.ts';

export interface FreezeRow {
  batch_id: string;
  source: string;
  window_start: Date;
  window_end: Date;
  reason: string;
  frozen_at: Date;
  extended_at: Date | null;
}

/** The windows that are frozen now, earliest first. */
export async function listOpenFreezes(db: Queryable): Promise<FreezeRow[]> {
  const { rows } = await db.query<FreezeRow>(
    `select f.batch_id, b.source, f.window_start, f.window_end, f.reason, f.frozen_at, f.extended_at
       from analytics.backfill_freezes f join analytics.backfill_batches b using (batch_id)
      where f.lifted_at is null
      order by f.window_start, f.freeze_id`,
  );
  return rows;
}

/** The freeze of a batch that is in force. */
export interface BatchFreezeRow {
  reason: string;
  frozen_at: Date;
  extended_at: Date | null;
  /** The incident that holds it, also when the batch is taken back. */
  held_by: number | null;
}

/** The freeze of a batch that is in force, if there is one. */
export async function getOpenFreeze(db: Queryable, batchId: string): Promise<BatchFreezeRow | undefined> {
  const { rows } = await db.query<BatchFreezeRow>(
    `select reason, frozen_at, extended_at, held_by from analytics.backfill_freezes
      where batch_id = $1 and lifted_at is null`,
    [batchId],
  );
  return rows[0];
}
