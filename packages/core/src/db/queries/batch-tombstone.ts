import type { Queryable } from '../pool.ts';

/** The stored proof of a rollback. */
export interface RollbackProof {
  tombstoned: number;
  /** Null, like `keys_after`, while the keys still have to be freed in their own database. */
  keys_freed: number | null;
  live_rows_after: number;
  keys_after: number | null;
}

/** Tombstones the batch's stored events and frees its keys if they are in the same database, or returns the proof that this has been done. */
export async function tombstoneRows(db: Queryable, batchId: string): Promise<RollbackProof | undefined> {
  const { rows } = await db.query<RollbackProof>(
    'select tombstoned, keys_freed, live_rows_after, keys_after from analytics.tombstone_batch($1)',
    [batchId],
  );
  return rows[0];
}
