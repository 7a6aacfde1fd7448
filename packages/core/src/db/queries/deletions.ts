import type { Queryable } from '../pool.ts';

export interface NewDeletion {
  runId: number;
  kind: 'archive' | 'snapshots' | 'events' | 'keys' | 'records';
  what: string;
  batchId?: string;
  attempt?: number;
  rule: string;
  cutOff: Date;
}

export interface DeletionCounts {
  rows?: number;
  objects?: number;
  bytes?: number;
}

/** A receipt. */
export interface DeletionRow {
  deletion_id: number;
  run_id: number | null;
  kind: NewDeletion['kind'] | 'staging';
  what: string;
  batch_id: string | null;
  attempt: number | null;
  rule: string;
  cut_off: Date;
  rows: number;
  objects: number;
  bytes: number;
  detail: Record<string, unknown>;
  actor: string;
  begun_at: Date;
  /** Null while it is under way, or was cut off. */
  completed_at: Date | null;
}

/** Announces a deletion, or finds the receipt of one that was cut off. @returns its number */
export async function announceDeletion(
  db: Queryable,
  { runId, kind, what, batchId, attempt, rule, cutOff }: NewDeletion,
): Promise<number> {
  const { rows } = await db.query<{ deletion_id: number }>(
    `insert into analytics.backfill_deletions as d (run_id, kind, what, batch_id, attempt, rule, cut_off)
     values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (kind, what) where completed_at is null do update set detail = d.detail
     returning deletion_id`,
    [runId, kind, what, batchId ?? null, attempt ?? null, rule, cutOff],
  );
  return rows[0]?.deletion_id ?? 0;
}

/** Says of a deletion that was announced how much there was. Of one that was cut off that is said already. */
export async function sizeDeletion(
  db: Queryable,
  deletionId: number,
  { objects, bytes, detail }: Required<Omit<DeletionCounts, 'rows'>> & { detail: Record<string, unknown> },
): Promise<void> {
  await db.query(
    `update analytics.backfill_deletions
        set objects = greatest(objects, $2), bytes = greatest(bytes, $3), detail = $4::jsonb || detail
      where deletion_id = $1`,
    [deletionId, objects, bytes, detail],
  );
}

/** Counts up a receipt that was announced. In the transaction that deletes the rows. */
export async function countDeletion(
  db: Queryable,
  deletionId: number,
  { rows = 0, objects = 0, bytes = 0 }: DeletionCounts,
): Promise<void> {
  await db.query(
    `update analytics.backfill_deletions set rows = rows + $2, objects = objects + $3, bytes = bytes + $4
      where deletion_id = $1`,
    [deletionId, rows, objects, bytes],
  );
}

/** Completes the receipt of a thing, if one is open: nothing of it is left that is past its time. */
export async function completeDeletion(
  db: Queryable,
  { kind, what }: Pick<NewDeletion, 'kind' | 'what'>,
  detail: Record<string, unknown> = {},
): Promise<void> {
  await db.query(
    `update analytics.backfill_deletions set completed_at = clock_timestamp(), detail = detail || $3::jsonb
      where kind = $1 and what = $2 and completed_at is null`,
    [kind, what, detail],
  );
}

/** Receipts of what a run has deleted or completed, and of what else went meanwhile. */
export async function listDeletionsOfRun(db: Queryable, runId: number): Promise<DeletionRow[]> {
  const { rows } = await db.query<DeletionRow>(
    `select d.* from analytics.backfill_deletions d, analytics.backfill_retention_runs r
      where r.run_id = $1
        and (d.run_id = r.run_id or d.completed_at between r.begun_at and coalesce(r.ended_at, clock_timestamp()))
      order by d.deletion_id limit 1000`,
    [runId],
  );
  return rows;
}

/** What retention has taken from a batch's archive, or is about to: undefined for nothing. */
export async function findArchiveDeletion(
  db: Queryable,
  batch: { batch_id: string; attempt: number },
): Promise<Pick<DeletionRow, 'begun_at' | 'completed_at'> | undefined> {
  const { rows } = await db.query<DeletionRow>(
    `select begun_at, completed_at from analytics.backfill_deletions
      where kind = 'archive' and batch_id = $1 and attempt = $2
      order by completed_at nulls first limit 1`,
    [batch.batch_id, batch.attempt],
  );
  return rows[0];
}
