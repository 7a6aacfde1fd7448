import type { Client, Queryable } from '../pool.ts';

/** The snapshot of a batch's window from before it was published, as the publish noted it. */
export interface SnapshotToLoad {
  publish_id: number;
  path: string;
  /** Of the object as it is stored, lower-case hex. */
  sha256: string;
  bytes: number;
  rows: number;
}

/** The snapshot that a rollback of the batch restores, or undefined when there is none. */
export async function getSnapshotToLoad(db: Queryable, batchId: string): Promise<SnapshotToLoad | undefined> {
  const { rows } = await db.query<SnapshotToLoad>(
    `select publish_id, snapshot_path as path, snapshot_sha256 as sha256, snapshot_bytes as bytes, snapshot_rows as rows
       from analytics.snapshot_of($1) where publish_id is not null`,
    [batchId],
  );
  return rows[0];
}

/** How many rows of the snapshot are loaded; undefined when nothing is. Fewer than there were after a crash of PostgreSQL. */
export async function countLoadedRows(db: Queryable, publishId: number): Promise<number | undefined> {
  const { rows } = await db.query<{ table_name: string }>(
    'select table_name from analytics.backfill_snapshot_loads where publish_id = $1',
    [publishId],
  );
  if (rows[0] === undefined) return undefined;
  const { rows: counts } = await db.query<{ n: number }>(`select count(*) as n from analytics.${rows[0].table_name}`);
  return counts[0]?.n;
}

/** Forgets what is loaded for the batch's rollback. */
export async function dropSnapshotLoads(db: Queryable, batchId: string): Promise<void> {
  await db.query('select analytics.drop_snapshot_loads($1)', [batchId]);
}

/** Makes the table for the lines of a snapshot, which goes with the transaction. @returns what COPY needs to fill it */
export async function createLineTable(client: Client): Promise<string> {
  await client.query('create temporary table snapshot_line (line json not null) on commit drop');
  // JSON text has no control characters: with two of them as quote and delimiter, a line is one value as it stands.
  return `copy pg_temp.snapshot_line (line) from stdin (format csv, quote e'\\x01', delimiter e'\\x02')`;
}

/** Makes rows of the lines, in a table of their own. @returns its name, in the schema `analytics` */
export async function fillSnapshotTable(client: Client): Promise<string> {
  const { rows } = await client.query<{ name: string }>('select analytics.create_snapshot_table() as name');
  const name = rows[0]?.name ?? '';
  await client.query(
    `insert into analytics.${name}
     select r.* from pg_temp.snapshot_line s, json_populate_record(null::analytics.events_log, s.line) r`,
  );
  await client.query(`analyze analytics.${name}`);
  return name;
}

/**
 * Says that a snapshot is loaded, while the batch is to be rolled back with it; holds a rollback off until the commit, so
 * that it finds the load.
 *
 * @returns false when the batch has moved on, or a twin has loaded it
 */
export async function noteSnapshotLoad(
  db: Client,
  { batchId, epoch }: { batchId: string; epoch: number },
  publishId: number,
  tableName: string,
): Promise<boolean> {
  const { rowCount } = await db.query(
    `insert into analytics.backfill_snapshot_loads (publish_id, batch_id, table_name)
     select $3, batch_id, $4 from analytics.backfill_batches
      where batch_id = $1 and epoch = $2 and status = 'rolling_back' and rollback_mode = 'snapshot' for key share
     on conflict do nothing`,
    [batchId, epoch, publishId, tableName],
  );
  return rowCount === 1;
}
