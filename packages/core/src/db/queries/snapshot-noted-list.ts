import type { Queryable } from '../pool.ts';

/** A snapshot in the archive that a publish has noted. */
export interface NotedSnapshot {
  publish_id: number;
  snapshot_path: string;
}

export async function listNotedSnapshots(db: Queryable, batchId: string): Promise<NotedSnapshot[]> {
  const { rows } = await db.query<NotedSnapshot>(
    `select publish_id, snapshot_path from analytics.backfill_publishes
      where batch_id = $1 and snapshot_path is not null order by publish_id`,
    [batchId],
  );
  return rows;
}
