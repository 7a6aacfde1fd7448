import type { BatchStatus } from '../../domain/batch-status.ts';
import type { Queryable } from '../pool.ts';

/** A batch that is told about: every one that is not over, and for a day those that are. */
export interface MeteredBatch {
  batch_id: string;
  status: BatchStatus;
  /** The share of its staged rows that may be overlap; null before there is a plan. */
  max_overlap: number | null;
}

/** How long a batch is told about after its end. */
const TOLD_FOR = '1 day';

/** Batches to tell about, in the order of their submission. */
export async function listMeteredBatches(db: Queryable): Promise<MeteredBatch[]> {
  const { rows } = await db.query<MeteredBatch>(
    `select b.batch_id, b.status,
            (select (p.plan #>> '{policy,gates,max_overlap}')::float8 from analytics.backfill_plans p
              where p.batch_id = b.batch_id and p.attempt = b.attempt and p.plan_hash = b.plan_hash) as max_overlap
       from analytics.backfill_batches b
      where b.completed_at is null or b.completed_at > now() - $1::interval
      order by b.batch_no`,
    [TOLD_FOR],
  );
  return rows;
}

/** Whether each gate of the last verification has passed. */
export async function listGateVerdicts(
  db: Queryable,
  batchIds: readonly string[],
): Promise<{ batch_id: string; gate: string; passed: boolean }[]> {
  const { rows } = await db.query<{ batch_id: string; gate: string; passed: boolean }>(
    `select g.batch_id, g.gate, g.passed
       from analytics.backfill_gate_results g join analytics.backfill_batches b using (batch_id, attempt)
      where g.batch_id = any ($1)
        and g.run_no = (select max(last.run_no) from analytics.backfill_gate_results last
                         where last.batch_id = g.batch_id and last.attempt = g.attempt)`,
    [batchIds],
  );
  return rows;
}

/** Bytes that wait, of batches under way: stored bytes of chunks to transform, and of parts to import. */
export async function readBacklogBytes(db: Queryable): Promise<{ transform: number; import: number }> {
  const { rows } = await db.query<{ transform: number; import: number }>(
    `with under_way as (select batch_id from analytics.backfill_batches where status in ('canary', 'importing'))
     select (select coalesce(sum(byte_end - byte_start), 0) from analytics.backfill_raw_chunks
              where state = 'open' and batch_id in (select batch_id from under_way)) as transform,
            (select coalesce(sum(object_bytes), 0) from analytics.backfill_import_parts
              where state = 'ready' and batch_id in (select batch_id from under_way)) as import`,
  );
  return rows[0] ?? { transform: 0, import: 0 };
}

/** Work of a kind that waits for a worker or is in one's hands. */
export interface OpenWork {
  stage: string;
  jobs: number;
  /** The age of the oldest. */
  seconds: number;
}

/** The kinds of work of which something is to be done. */
export async function listOpenWorkByStage(db: Queryable): Promise<OpenWork[]> {
  const { rows } = await db.query<OpenWork>(
    `select o.kind as stage, count(*) as jobs,
            extract(epoch from greatest(now() - min(o.created_at), '0'))::float8 as seconds
       from analytics.backfill_outbox o join analytics.backfill_batches b using (batch_id)
      where b.status = any (o.when_status)
      group by o.kind`,
  );
  return rows;
}

/** The age, in seconds, of each freeze that is not lifted. */
export async function listOpenFreezes(db: Queryable): Promise<{ batch_id: string; seconds: number }[]> {
  const { rows } = await db.query<{ batch_id: string; seconds: number }>(
    `select batch_id, extract(epoch from greatest(now() - frozen_at, '0'))::float8 as seconds
       from analytics.backfill_freezes where lifted_at is null`,
  );
  return rows;
}

/** How long the last publish of a batch took until readers saw its rows, and how long it may take. */
export interface PublishDelay {
  batch_id: string;
  /** From the go; until now while they do not see them. */
  seconds: number;
  limit_seconds: number;
}

/** Of the batches whose current attempt had a go that was not sent back. */
export async function listPublishDelays(db: Queryable, batchIds: readonly string[]): Promise<PublishDelay[]> {
  const { rows } = await db.query<PublishDelay>(
    `select distinct on (p.batch_id) p.batch_id,
            coalesce(p.visible_seconds, extract(epoch from greatest(now() - p.go_at, '0')))::float8 as seconds,
            extract(epoch from p.visible_due - p.go_at)::float8 as limit_seconds
       from analytics.backfill_publishes p join analytics.backfill_batches b using (batch_id, attempt)
      where p.batch_id = any ($1) and (p.visible_seconds is not null or p.outcome is null)
      order by p.batch_id, p.publish_id desc`,
    [batchIds],
  );
  return rows;
}
