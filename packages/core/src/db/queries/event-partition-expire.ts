import pg from 'pg';
import type { Client, Queryable } from '../pool.ts';

/** Everybody queues behind who waits for these locks; a partition that is in use goes at a later run. */
const LOCK_TIMEOUT = '500ms';

const table = (leaf: string) => `analytics.${pg.escapeIdentifier(leaf)}`;

/** Holds writers off a partition until the transaction ends, but no readers. */
export async function holdEventPartition(db: Client, leaf: string): Promise<void> {
  await db.query(`select set_config('lock_timeout', '${LOCK_TIMEOUT}', true)`);
  await db.query(`lock table ${table(leaf)} in share row exclusive mode`);
}

/** Counts a partition's rows, tombstoned ones too, and its bytes with its indexes. */
export async function measureEventPartition(db: Queryable, leaf: string): Promise<{ rows: number; bytes: number }> {
  const { rows } = await db.query<{ rows: number; bytes: number }>(
    `select count(*) as rows, pg_total_relation_size($1::regclass) as bytes from ${table(leaf)}`,
    [table(leaf)],
  );
  return rows[0] ?? { rows: 0, bytes: 0 };
}

/** A partition's rows, by the statistics, and its bytes. Rows are null where nobody has looked yet. */
export async function estimateEventPartition(
  db: Queryable,
  leaf: string,
): Promise<{ rows: number | null; bytes: number }> {
  const { rows } = await db.query<{ rows: number | null; bytes: number }>(
    `select case when reltuples >= 0 then reltuples::bigint end as rows, pg_total_relation_size(oid) as bytes
       from pg_class where oid = $1::regclass`,
    [table(leaf)],
  );
  return rows[0] ?? { rows: null, bytes: 0 };
}

/** Waits for the locks that a drop needs, on all stored events. They are held until the transaction ends. */
export async function lockStoredEvents(db: Client): Promise<void> {
  await db.query('lock table analytics.events_log in access exclusive mode');
}

/** Drops a partition with all that is in it. */
export async function dropEventPartition(db: Client, leaf: string): Promise<void> {
  await db.query(`drop table ${table(leaf)}`);
}

/** Blocks of a partition, 8 KiB each. */
export async function countEventBlocks(db: Queryable, leaf: string): Promise<number> {
  const { rows } = await db.query<{ blocks: number }>(
    `select pg_relation_size($1::regclass) / current_setting('block_size')::bigint as blocks`,
    [table(leaf)],
  );
  return rows[0]?.blocks ?? 0;
}

/** True when {@link deleteEventsInBlocks} would find something. */
export async function hasEventsInBlocks(
  db: Queryable,
  leaf: string,
  blocks: { from: number; to: number },
  { before, keep }: { before: Date; keep: readonly string[] },
): Promise<boolean> {
  const { rowCount } = await db.query(
    `select 1 from ${table(leaf)}
      where ctid >= $1::tid and ctid < $2::tid and event_ts < $3 and (batch_id is null or batch_id <> all ($4))
      limit 1`,
    [`(${blocks.from},0)`, `(${blocks.to},0)`, before, keep],
  );
  return rowCount === 1;
}

/** Deletes rows of a range of blocks that are from before a moment and of none of the batches. */
export async function deleteEventsInBlocks(
  db: Client,
  leaf: string,
  blocks: { from: number; to: number },
  { before, keep }: { before: Date; keep: readonly string[] },
): Promise<number> {
  const { rowCount } = await db.query(
    `delete from ${table(leaf)}
      where ctid >= $1::tid and ctid < $2::tid and event_ts < $3 and (batch_id is null or batch_id <> all ($4))`,
    [`(${blocks.from},0)`, `(${blocks.to},0)`, before, keep],
  );
  return rowCount ?? 0;
}

/** How many rows {@link deleteEventsInBlocks} would delete in all blocks, counted up to a limit. */
export async function countEventsToExpire(
  db: Queryable,
  leaf: string,
  { before, keep, limit }: { before: Date; keep: readonly string[]; limit: number },
): Promise<number> {
  const { rows } = await db.query<{ rows: number }>(
    `select count(*) as rows from (
       select from ${table(leaf)}
        where event_ts < $1 and (batch_id is null or batch_id <> all ($2)) limit $3) as counted`,
    [before, keep, limit],
  );
  return rows[0]?.rows ?? 0;
}
