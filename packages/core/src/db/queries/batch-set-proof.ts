import type { Queryable } from '../pool.ts';
import type { ReplacedRows } from './replaced-rows.ts';

/** What a verification proved: the hash that publish approvals bind to, and the rows that would be published. */
export interface BatchProof extends RowsProof {
  gateSetHash: string;
  /** What the publish takes out of sight; null where nothing, or where it could not be read. */
  replaced: ReplacedRows | null;
}

/** The rows to publish; all null where they could not be read, which nobody can sign. */
export interface RowsProof {
  rowsDigest: string | null;
  checksum: string | null;
  rowCount: number | null;
  /** Their UTC days, as `YYYYMMDD`. */
  days: readonly string[] | null;
}

/** Stores what a verification proved. */
export async function setBatchProof(db: Queryable, batchId: string, proof: BatchProof): Promise<void> {
  await db.query(
    `update analytics.backfill_batches
        set gate_set_hash = $2, checksum = $3, row_count = $4, rows_digest = $5, publish_days = $6,
            replaced_rows = $7, replaced_fingerprint = $8, replaced_at = $9
      where batch_id = $1`,
    [
      ...[batchId, proof.gateSetHash, proof.checksum, proof.rowCount, proof.rowsDigest, proof.days],
      ...[proof.replaced?.rows ?? null, proof.replaced?.fingerprint ?? null, proof.replaced?.at ?? null],
    ],
  );
}
