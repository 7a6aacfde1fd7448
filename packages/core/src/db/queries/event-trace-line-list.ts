import type { BatchStatus } from '../../domain/batch-status.ts';
import type { Queryable } from '../pool.ts';

/** A raw line, and where its bytes are. What the ledger does not know any more is null. */
export interface TracedLine {
  batch_id: string;
  status: BatchStatus;
  source_file: string;
  line_no: number;
  chunk_id: number | null;
  /** The stretch of the stored object that holds the line, `[byte_start, byte_end)`: all of a compressed one. */
  byte_start: number | null;
  byte_end: number | null;
  /** Number of the stretch's first line. */
  first_line: number | null;
  /** Of the raw object as it was pinned. */
  raw_sha256: string | null;
  /** Of the object in the mirror, which for sources from outside the EU is a copy. */
  mirror_sha256: string | null;
  /** What the stretch's lines became, in the archive; null where nobody knows any more. */
  part_key: string | null;
  part_sha256: string | null;
}

/** More deliveries of one event than this are not listed. */
const MAX_LINES = 1_000;

export const TRACED_LINES_SQL = `
  select l.batch_id, b.status, l.source_file, l.line_no, c.chunk_id, c.byte_start, c.byte_end, c.first_line,
         f.sha256 as raw_sha256, m.sha256 as mirror_sha256, p.object_key as part_key, p.object_sha256 as part_sha256
    from analytics.backfill_lineage l
    join analytics.backfill_batches b using (batch_id)
    left join analytics.backfill_files f on f.batch_id = l.batch_id and f.source_file = l.source_file
    left join analytics.backfill_mirror_objects m on m.batch_id = f.batch_id and m.file_no = f.file_no
    left join analytics.backfill_raw_chunks c
           on c.batch_id = f.batch_id and c.file_no = f.file_no
          and l.line_no >= c.first_line and l.line_no < c.first_line + c.line_count
    left join analytics.backfill_import_parts p
           on p.chunk_id = c.chunk_id and l.line_no >= p.first_line and l.line_no < p.first_line + p.line_count
   where l.event_id = $1
   order by b.batch_no, l.source_file, l.line_no
   limit ${MAX_LINES}`;

/** The raw lines that an event came from, in all batches; also when their staged rows were purged. */
export async function listTracedLines(db: Queryable, eventId: string): Promise<TracedLine[]> {
  const { rows } = await db.query<TracedLine>(TRACED_LINES_SQL, [eventId]);
  return rows;
}
