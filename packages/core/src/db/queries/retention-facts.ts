import type { EventPartition, RetentionBatch, RetentionMark } from '../../retention/retention-rules.ts';
import type { Queryable } from '../pool.ts';

/** Every batch, with what retention asks of it. */
export async function listRetentionBatches(db: Queryable): Promise<RetentionBatch[]> {
  const { rows } = await db.query<RetentionBatch>(
    `select b.batch_id, b.source, b.status, b.attempt, b.window_start, b.window_end, b.rows_live,
            coalesce(b.completed_at, b.updated_at) as since,
            (select (p.plan #>> '{retentionException,until}')::timestamptz from analytics.backfill_plans p
              where p.batch_id = b.batch_id and p.attempt = b.attempt and p.plan_hash = b.plan_hash) as exception_until,
            exists (select from analytics.backfill_freezes z where z.batch_id = b.batch_id) as was_prepared,
            (select max(f.mirrored_at) from analytics.backfill_files f where f.batch_id = b.batch_id) as mirrored_at,
            (select max(coalesce(p.snapshot_at, p.go_at)) from analytics.backfill_publishes p
              where p.batch_id = b.batch_id) as snapshot_at,
            to_regclass('analytics.' || analytics.staging_leaf(b.batch_no)) is not null as has_staging,
            a.cut_off as archive_mark, s.cut_off as snapshots_mark, r.cut_off as records_mark
       from analytics.backfill_batches b
       left join analytics.backfill_retention_marks a on a.kind = 'archive' and a.what = b.batch_id
       left join analytics.backfill_retention_marks s on s.kind = 'snapshots' and s.what = b.batch_id
       left join analytics.backfill_retention_marks r on r.kind = 'records' and r.what = b.batch_id || '/' || b.attempt
      order by b.batch_no`,
  );
  return rows;
}

/** The partitions of the stored events, oldest first and the default one last. */
export async function listEventPartitions(db: Queryable): Promise<EventPartition[]> {
  const { rows } = await db.query<{
    leaf: string;
    from: Date | null;
    to: Date | null;
    looked_at: Date | null;
    kept: string[] | null;
  }>(
    `with leaf as (
       select c.relname as leaf, pg_get_expr(c.relpartbound, c.oid) as bound
         from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'analytics.events_log'::regclass
     ), ranged as (
       select leaf, bound, regexp_match(bound, $$FROM \\('([^']+)'\\) TO \\('([^']+)'\\)$$) as range from leaf
     )
     select leaf, range[1]::timestamptz as from, range[2]::timestamptz as to, m.looked_at, m.kept
       from ranged left join analytics.backfill_retention_marks m on m.kind = 'events' and m.what = leaf
      where bound = 'DEFAULT' or range is not null
      order by 2 nulls last`,
  );
  return rows.map(({ leaf, from, to, looked_at, kept }) => ({
    leaf,
    range: from === null || to === null ? null : { from, to },
    mark: looked_at === null ? null : { at: looked_at, kept: kept ?? [] },
  }));
}

/** That a thing was looked through up to an age, while things of some batches stayed. */
export async function setRetentionMark(
  db: Queryable,
  kind: string,
  what: string,
  { cutOff, kept = [] }: { cutOff: Date; kept?: readonly string[] },
): Promise<void> {
  await db.query(
    `insert into analytics.backfill_retention_marks (kind, what, cut_off, kept) values ($1, $2, $3, $4)
     on conflict (kind, what) do update
        set cut_off = excluded.cut_off, kept = excluded.kept, looked_at = clock_timestamp()`,
    [kind, what, cutOff, kept],
  );
}

/** The mark of a thing that was looked through at least up to this age. */
export async function getRetentionMark(
  db: Queryable,
  kind: string,
  what: string,
  cutOff: Date,
): Promise<RetentionMark | null> {
  const { rows } = await db.query<RetentionMark>(
    `select looked_at as at, kept from analytics.backfill_retention_marks
      where kind = $1 and what = $2 and cut_off >= $3`,
    [kind, what, cutOff],
  );
  return rows[0] ?? null;
}

/** Forgets the mark of a thing that is gone. */
export async function deleteRetentionMark(db: Queryable, kind: string, what: string): Promise<void> {
  await db.query('delete from analytics.backfill_retention_marks where kind = $1 and what = $2', [kind, what]);
}

/** What the clock of the database says, ms since 1970. */
export async function readDatabaseClock(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ now: Date }>('select clock_timestamp() as now');
  return rows[0]?.now.getTime() ?? 0;
}

/** Where batches took their input from, below a place; the first one of each. */
export async function listBatchInputs(db: Queryable, start: string): Promise<{ input: string; batch_id: string }[]> {
  const { rows } = await db.query<{ input: string; batch_id: string }>(
    `select distinct on (input) input, batch_id from analytics.backfill_batches
      where starts_with(input, $1) order by input, batch_no`,
    [start],
  );
  return rows;
}
