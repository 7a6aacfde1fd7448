import type { Queryable } from '../pool.ts';

/** Creates the batch's staging leaf, empty. */
export async function createStagingLeaf(db: Queryable, batchId: string): Promise<void> {
  await db.query('select analytics.create_staging_leaf($1)', [batchId]);
}
