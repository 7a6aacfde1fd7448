import type { Queryable } from '../pool.ts';

/** Chunks of the batch that are still to be transformed. */
export async function listOpenChunks(db: Queryable, batchId: string): Promise<{ chunk_id: number; epoch: number }[]> {
  const { rows } = await db.query<{ chunk_id: number; epoch: number }>(
    `select chunk_id, epoch from analytics.backfill_raw_chunks
      where batch_id = $1 and state = 'open' order by chunk_no`,
    [batchId],
  );
  return rows;
}

/** Parts of the batch that are still to be imported. */
export async function listReadyParts(
  db: Queryable,
  batchId: string,
): Promise<{ part_id: number; epoch: number; is_canary: boolean }[]> {
  const { rows } = await db.query<{ part_id: number; epoch: number; is_canary: boolean }>(
    `select part_id, epoch, is_canary from analytics.backfill_import_parts
      where batch_id = $1 and state = 'ready' order by part_id`,
    [batchId],
  );
  return rows;
}

/**
 * Batches that have something to do but nothing of it written down: it was missed, or a person in psql called for it. A recount takes no batch
 * any further.
 */
export async function listBatchesWithoutWork(db: Queryable): Promise<string[]> {
  const { rows } = await db.query<{ batch_id: string }>(
    `select b.batch_id from analytics.backfill_batches b
      where (b.status in ('submitted', 'planning', 'preparing', 'canary', 'importing', 'verifying', 'publishing', 'rolling_back')
             -- It has got events from another one, and its report is to be amended. Not while it is replaced.
             or b.status = 'published' and b.checksum is null and b.rows_live)
        and not exists (select 1 from analytics.backfill_outbox o 
                         where o.batch_id = b.batch_id and b.status = any (o.when_status) and o.kind <> 'recount')
      order by b.batch_no`,
  );
  return rows.map((row) => row.batch_id);
}

/** Batches that wait for the approval of their run, the oldest first. */
export async function listBatchesAwaitingRun(db: Queryable): Promise<{ batch_id: string; plan_hash: string | null }[]> {
  const { rows } = await db.query<{ batch_id: string; plan_hash: string | null }>(
    `select batch_id, plan_hash from analytics.backfill_batches
      where status = 'awaiting_run_approval' order by batch_no`,
  );
  return rows;
}
