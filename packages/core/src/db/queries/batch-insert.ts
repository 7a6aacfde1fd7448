import type { BatchRequest } from '../../domain/submission.ts';
import type { Queryable } from '../pool.ts';

export interface NewBatch {
  request: BatchRequest;
  requestSha256: string;
  submittedBy: string;
}

/**
 * Stores a submitted batch and its metadata row.
 *
 * @returns false when the batch id is taken; nothing was stored then.
 */
export async function insertBatch(db: Queryable, batch: NewBatch): Promise<boolean> {
  const { request } = batch;
  const { rowCount } = await db.query(
    `with batch as (
       insert into analytics.backfill_batches
         (batch_id, source, reason, input, window_start, window_end, request, request_sha256, submitted_by)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
       on conflict (batch_id) do nothing
       returning batch_id, input
     )
     insert into analytics.backfill_batches_metadata (batch_id, raw_path)
     select batch_id, input from batch`,
    [
      request.batch_id,
      request.source,
      request.reason,
      request.input,
      // As JavaScript reads them: PostgreSQL refuses some offsets that RFC 3339 allows.
      new Date(request.window.start),
      new Date(request.window.end),
      JSON.stringify(request),
      batch.requestSha256,
      batch.submittedBy,
    ],
  );
  return rowCount === 1;
}
