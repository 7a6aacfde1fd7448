import type { Queryable } from '../pool.ts';

/** The stored proof of a rollback. */
export interface RollbackProof {
  tombstoned: number;
  keys_freed: number;
  live_rows_after: number;
  keys_after: number;
}

/** Tombstones the batch's stored events and frees its keys, or returns the proof that this has been done. */
export async function tombstoneRows(db: Queryable, batchId: string): Promise<RollbackProof | undefined> {
  const { rows } = await db.query<RollbackProof>(
    'select tombstoned, keys_freed, live_rows_after, keys_after from analytics.tombstone_batch($1)',
    [batchId],
  );
  return rows[0];
}
