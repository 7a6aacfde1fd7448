import type { Queryable } from '../db/pool.ts';
import { listPartObjects } from '../db/queries/part-object-list.ts';
import { listNotedSnapshots } from '../db/queries/snapshot-noted-list.ts';

/** The objects that the books name, but for the mirror's: in between there may be others. */
export async function listNamedObjects(db: Queryable, batchId: string): Promise<string[]> {
  const noted = await listNotedSnapshots(db, batchId);
  return [...noted.map((one) => one.snapshot_path), ...(await listPartObjects(db, batchId))];
}
