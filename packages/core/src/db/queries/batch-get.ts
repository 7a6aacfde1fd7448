import type { BatchStatus } from '../../domain/batch-status.ts';
import type { RollbackMode } from '../../domain/rollback-mode.ts';
import type { Queryable } from '../pool.ts';

export interface BatchRow {
  batch_id: string;
  batch_no: number;
  source: string;
  reason: string;
  input: string;
  window_start: Date;
  window_end: Date;
  request: Record<string, unknown>;
  request_sha256: string;
  submitted_by: string;
  status: BatchStatus;
  status_reason: string | null;
  resume_status: BatchStatus | null;
  epoch: number;
  attempt: number;
  plan_hash: string | null;
  gate_set_hash: string | null;
  rows_digest: string | null;
  checksum: string | null;
  row_count: number | null;
  canary_passed: boolean | null;
  /** Events after which the import halts for a person; null for no limit. */
  import_limit: number | null;
  created_at: Date;
  updated_at: Date;
  completed_at: Date | null;
  /** True while the batch's rows are in the stored events: before it is `published`, they are counted. */
  rows_live: boolean;
  /** What its publish takes out of sight: that batch's rows, or those of live ingestion in its window. */
  replaces_batch_id: string | null;
  replaces_live: boolean;
  /** The published batch that has replaced this one, whose rows are not live meanwhile. */
  replaced_by: string | null;
  /** What is to be replaced, as the verification found it. */
  replaced_rows: number | null;
  replaced_fingerprint: string | null;
  replaced_at: Date | null;
  /** Of a batch that is being rolled back; null stands for tombstones. */
  rollback_mode: RollbackMode | null;
}

/** The batch as it is now, or undefined. */
export async function getBatch(db: Queryable, batchId: string): Promise<BatchRow | undefined> {
  const { rows } = await db.query<BatchRow>('select * from analytics.backfill_batches where batch_id = $1', [batchId]);
  return rows[0];
}

/** The batch, locked against other changes of its status until the transaction ends. Parts may still commit. */
export async function getBatchForStatusChange(db: Queryable, batchId: string): Promise<BatchRow | undefined> {
  const { rows } = await db.query<BatchRow>(
    'select * from analytics.backfill_batches where batch_id = $1 for no key update',
    [batchId],
  );
  return rows[0];
}
