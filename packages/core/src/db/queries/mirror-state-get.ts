import type { Queryable } from '../pool.ts';

/** Which object must stand for a file of the mirror, and whether objects of the batch are just being replaced. */
export interface MirrorState {
  sha256: string;
  is_rewriting: boolean;
}

export async function getMirrorState(
  db: Queryable,
  batchId: string,
  sourceFile: string,
): Promise<MirrorState | undefined> {
  const { rows } = await db.query<MirrorState>(
    `select f.sha256,
            exists (select 1 from analytics.backfill_erasure_objects o where o.batch_id = f.batch_id) as is_rewriting
       from analytics.backfill_mirror_objects f where f.batch_id = $1 and f.source_file = $2`,
    [batchId, sourceFile],
  );
  return rows[0];
}
