import type { Queryable } from '../pool.ts';

/** Objects of the raw bucket that are past their limit. */
export interface OverAge {
  bucket: string;
  /** What is from before this is past its limit. */
  before: string;
  objects: number;
  bytes: number;
  oldest: string | null;
  /** Those below the input of a batch, the batches with the most first; the others are counted together. */
  inputs: { batch_id: string; objects: number; bytes: number }[];
}

/** One look at everything that has a time limit. */
export interface RetentionRun {
  run_id: number;
  requested_by: string;
  requested_at: Date;
  begun_at: Date | null;
  ended_at: Date | null;
  outcome: 'complete' | 'incomplete' | null;
  /** What was left, and why. */
  problems: string[];
  over_age: OverAge | null;
}

/** Who asks for the runs that come round by the clock. */
export const SCHEDULE = 'schedule';

/** Asks for a run, unless one is asked for that has not begun yet. @returns its number, and whether it is a new one */
export async function requestRetentionRun(db: Queryable, actor: string): Promise<{ run_id: number; is_new: boolean }> {
  // Two who ask at once would both find none.
  await db.query(`select pg_advisory_xact_lock(hashtextextended('analytics.backfill_retention_runs', 0))`);
  const { rows: waiting } = await db.query<{ run_id: number }>(
    `select run_id from analytics.backfill_retention_runs where ended_at is null and begun_at is null
      order by run_id limit 1`,
  );
  if (waiting[0] !== undefined) return { run_id: waiting[0].run_id, is_new: false };
  const { rows } = await db.query<{ run_id: number }>(
    'insert into analytics.backfill_retention_runs (requested_by) values ($1) returning run_id',
    [actor],
  );
  return { run_id: rows[0]?.run_id ?? 0, is_new: true };
}

/** Runs that were asked for, or were cut off, and have not ended; the oldest first. */
export async function listOpenRetentionRuns(db: Queryable): Promise<number[]> {
  // As text, since the dispatcher's own connection reads large numbers so.
  const { rows } = await db.query<{ run_id: string }>(
    'select run_id::text from analytics.backfill_retention_runs where ended_at is null order by backfill_retention_runs.run_id limit 100',
  );
  return rows.map(({ run_id }) => Number(run_id));
}

/** Begins a run, or goes on with one that was cut off. Undefined when it has ended. */
export async function beginRetentionRun(db: Queryable, runId: number): Promise<RetentionRun | undefined> {
  const { rows } = await db.query<RetentionRun>(
    `update analytics.backfill_retention_runs set begun_at = coalesce(begun_at, clock_timestamp())
      where run_id = $1 and ended_at is null returning *`,
    [runId],
  );
  return rows[0];
}

/** Ends a run. */
export async function endRetentionRun(
  db: Queryable,
  runId: number,
  { problems, overAge }: { problems: readonly string[]; overAge: OverAge | null },
): Promise<void> {
  await db.query(
    `update analytics.backfill_retention_runs
        set ended_at = clock_timestamp(), outcome = $2, problems = $3, over_age = $4
      where run_id = $1 and ended_at is null`,
    [runId, problems.length === 0 ? 'complete' : 'incomplete', JSON.stringify(problems), overAge],
  );
}

/** A run by its number. */
export async function getRetentionRun(db: Queryable, runId: number): Promise<RetentionRun | undefined> {
  const { rows } = await db.query<RetentionRun>('select * from analytics.backfill_retention_runs where run_id = $1', [
    runId,
  ]);
  return rows[0];
}

/** The run that ended last. */
export async function getLastRetentionRun(db: Queryable): Promise<RetentionRun | undefined> {
  const { rows } = await db.query<RetentionRun>(
    `select * from analytics.backfill_retention_runs where ended_at is not null order by ended_at desc limit 1`,
  );
  return rows[0];
}

/** When a run last ended with nothing left; null before the first. */
export async function getLastCompleteRetention(db: Queryable): Promise<Date | null> {
  const { rows } = await db.query<{ at: Date | null }>(
    `select max(ended_at) as at from analytics.backfill_retention_runs where outcome = 'complete'`,
  );
  return rows[0]?.at ?? null;
}
