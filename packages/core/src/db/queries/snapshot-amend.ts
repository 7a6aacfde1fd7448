import type { Client } from '../pool.ts';

/** Says of a snapshot where it is now, and what it holds. What was loaded of the old one is dropped. */
export async function amendSnapshot(
  client: Client,
  batchId: string,
  snapshot: { publishId: number; was: string; path: string; sha256: string; bytes: number; rows: number },
): Promise<void> {
  const { publishId, was, path, sha256, bytes, rows } = snapshot;
  await client.query('select analytics.drop_snapshot_loads($1)', [batchId]);
  await client.query(
    `update analytics.backfill_publishes
        set snapshot_path = $2, snapshot_sha256 = $3, snapshot_bytes = $4, snapshot_rows = $5 where publish_id = $1`,
    [publishId, path, sha256, bytes, rows],
  );
  await client.query(
    `update analytics.backfill_batches_metadata set snapshot_path = $3, snapshot_checksum = $4
      where batch_id = $1 and snapshot_path = $2`,
    [batchId, was, path, sha256],
  );
}
