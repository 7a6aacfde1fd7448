import type { RollbackProof } from '../../domain/rollback-proof.ts';
import type { Queryable } from '../pool.ts';

/** What is logged of a proof. */
export type ShortProof = Pick<
  RollbackProof,
  'mode' | 'tombstoned' | 'keys_freed' | 'live_rows_after' | 'keys_after' | 'left_outside' | 'others_after'
>;

const PROOF = `
  p.mode, p.tombstoned, p.keys_freed, p.live_rows_after, p.keys_after, p.left_outside, p.others_after`;

/**
 * Tombstones the batch's stored events and frees its keys if they are in the same database, or returns the proof that this
 * has been done.
 *
 * @returns undefined when the batch is not to be taken back like this, or not any more
 */
export async function tombstoneRows(db: Queryable, batchId: string, epoch: number): Promise<ShortProof | undefined> {
  const { rows } = await db.query<ShortProof>(
    `select ${PROOF} from analytics.tombstone_batch($1, $2) p where p.rollback_id is not null`,
    [batchId, epoch],
  );
  return rows[0];
}

/** The same for the batch's events in its window; see {@link tombstoneRows}. */
export async function revertWindowRows(db: Queryable, batchId: string, epoch: number): Promise<ShortProof | undefined> {
  const { rows } = await db.query<ShortProof>(
    `select ${PROOF} from analytics.revert_window($1, $2) p where p.rollback_id is not null`,
    [batchId, epoch],
  );
  return rows[0];
}

/** The same as {@link tombstoneRows}, and brings back what the loaded snapshot has. */
export async function restoreRows(db: Queryable, batchId: string, epoch: number): Promise<ShortProof | undefined> {
  const { rows } = await db.query<ShortProof>(
    `select ${PROOF} from analytics.take_batch_back($1, 'snapshot', $2) p where p.rollback_id is not null`,
    [batchId, epoch],
  );
  return rows[0];
}

/** The published batches that events of the batch's current attempt were handed over to, and the one that it had replaced. */
export async function listHeirs(db: Queryable, batchId: string): Promise<string[]> {
  const { rows } = await db.query<{ to_batch_id: string }>(
    `select distinct h.to_batch_id
       from analytics.backfill_handovers h
       join analytics.backfill_batches b on b.batch_id = h.from_batch_id and b.attempt = h.from_attempt
      where b.batch_id = $1 and h.to_batch_id is not null and not h.is_suppressed
      union
     select replaces_batch_id from analytics.backfill_batches where batch_id = $1 and replaces_batch_id is not null
      order by 1`,
    [batchId],
  );
  return rows.map(({ to_batch_id }) => to_batch_id);
}
