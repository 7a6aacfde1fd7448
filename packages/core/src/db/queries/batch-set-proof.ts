import type { Queryable } from '../pool.ts';

/** Stores what a verification proved: the hash that publish approvals bind to, and the rows that would be published. */
export async function setBatchProof(
  db: Queryable,
  batchId: string,
  proof: { gateSetHash: string; rowsDigest: string; checksum: string; rowCount: number },
): Promise<void> {
  await db.query(
    `update analytics.backfill_batches set gate_set_hash = $2, checksum = $3, row_count = $4, rows_digest = $5
      where batch_id = $1`,
    [batchId, proof.gateSetHash, proof.checksum, proof.rowCount, proof.rowsDigest],
  );
}
