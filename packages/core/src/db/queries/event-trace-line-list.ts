import type { BatchStatus } from '../../domain/batch-status.ts';
import type { Queryable } from '../pool.ts';

export interface TracedLine {
  batch_id: string;
  status: BatchStatus;
  source_file: string;
  line_no: number;
}

/** More deliveries of one event than this are not listed. */
const MAX_LINES = 1_000;

/**
 * The raw lines that an event came from, in all batches. Looks only into batches whose source and window can hold it:
 * lineage is keyed by batch.
 */
export async function listTracedLines(
  db: Queryable,
  event: { eventId: string; source: string; eventTs: Date },
): Promise<TracedLine[]> {
  const { rows } = await db.query<TracedLine>(
    `select l.batch_id, b.status, l.source_file, l.line_no
       from analytics.backfill_batches b join analytics.backfill_lineage l using (batch_id)
      where b.source = $2 and b.window_start <= $3 and b.window_end > $3 and l.event_id = $1
      order by b.batch_no, l.source_file, l.line_no
      limit ${MAX_LINES}`,
    [event.eventId, event.source, event.eventTs],
  );
  return rows;
}
