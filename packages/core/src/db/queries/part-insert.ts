import type { Queryable } from '../pool.ts';

export interface NewPart {
  batchId: string;
  chunkId: number;
  partNo: number;
  fileNo: number;
  isCanary: boolean;
  firstLine: number;
  lineCount: number;
  objectKey: string | null;
  objectSha256: string | null;
  objectBytes: number;
  eventCount: number;
  suppressed: number;
  expired: number;
  filtered: number;
  quarantined: number;
  /** Of the earliest and the latest event, ms since 1970; null when there is none. */
  firstEventMs: number | null;
  lastEventMs: number | null;
  state: 'ready' | 'imported';
}

/** Registers a part, or returns undefined when the chunk has a part of this number. */
export async function insertPart(
  db: Queryable,
  part: NewPart,
): Promise<{ part_id: number; epoch: number; is_canary: boolean } | undefined> {
  const { rows } = await db.query<{ part_id: number; epoch: number; is_canary: boolean }>(
    `insert into analytics.backfill_import_parts
       (batch_id, chunk_id, part_no, file_no, is_canary, first_line, line_count, object_key, object_sha256,
        object_bytes, event_count, suppressed, expired, filtered, quarantined, state, imported_at,
        first_event_ts, last_event_ts, epoch)
     select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
            case when $16 = 'imported' then now() end, to_timestamp($17 / 1000.0), to_timestamp($18 / 1000.0), b.epoch
       from analytics.backfill_batches b where b.batch_id = $1
     on conflict (chunk_id, part_no) do nothing
     returning part_id, epoch, is_canary`,
    [
      part.batchId,
      part.chunkId,
      part.partNo,
      part.fileNo,
      part.isCanary,
      part.firstLine,
      part.lineCount,
      part.objectKey,
      part.objectSha256,
      part.objectBytes,
      part.eventCount,
      part.suppressed,
      part.expired,
      part.filtered,
      part.quarantined,
      part.state,
      part.firstEventMs,
      part.lastEventMs,
    ],
  );
  return rows[0];
}
