import type { Queryable } from '../pool.ts';

/** What the transformer made of a part, by the ledger: whatever a publish has left out since. */
export interface LedgerPart {
  part_no: number;
  first_line: number;
  line_count: number;
  /** Null when no line became an event. */
  object_sha256: string | null;
  event_count: number;
  suppressed: number;
  expired: number;
  filtered: number;
  quarantined: number;
}

/** The parts of a chunk, in the order of their lines. */
export async function listPartsOfChunk(db: Queryable, chunkId: number): Promise<LedgerPart[]> {
  const { rows } = await db.query<LedgerPart>(
    `select part_no, first_line, line_count, object_sha256,
            event_count + suppressed_at_publish as event_count, suppressed - suppressed_at_publish as suppressed, expired, filtered, quarantined
       from analytics.backfill_import_parts where chunk_id = $1 order by part_no`,
    [chunkId],
  );
  return rows;
}

/** The lines of a file that each of its import parts became of, in their order. */
export async function listPartLines(
  db: Queryable,
  batchId: string,
  fileNo: number,
): Promise<{ part_id: number; first_line: number; line_count: number }[]> {
  const { rows } = await db.query<{ part_id: number; first_line: number; line_count: number }>(
    `select part_id, first_line, line_count from analytics.backfill_import_parts
      where batch_id = $1 and file_no = $2 order by first_line, line_count`,
    [batchId, fileNo],
  );
  return rows;
}
