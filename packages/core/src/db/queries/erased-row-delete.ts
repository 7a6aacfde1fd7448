import type { Client } from '../pool.ts';
import type { BatchRow } from './batch-get.ts';

/** Rows of a batch that go with its erased events and lines, and the columns by which they are found. */
const ROWS = {
  events_log: `delete from analytics.events_log t using pg_temp.erased_event x
                where t.batch_id = $1 and t.event_id = x.event_id and t.deleted_at is null`,
  tombstones: `delete from analytics.events_log t using pg_temp.erased_event x
                where t.batch_id = $1 and t.event_id = x.event_id and t.deleted_at is not null
                  and t.event_ts >= $2 and t.event_ts < $3`,
  staging: `delete from analytics.events_backfill_staging t using pg_temp.erased_event x
             where t.batch_id = $1 and t.event_id = x.event_id`,
  lineage: `delete from analytics.backfill_lineage t using pg_temp.erased_event x
             where t.batch_id = $1 and t.event_id = x.event_id`,
  checkpoint_raw: `delete from analytics.backfill_event_checkpoint_raw t using pg_temp.erased_event x
                    where t.batch_id = $1 and t.event_id = x.event_id`,
  losers: `delete from analytics.backfill_losers t using pg_temp.erased_event x
            where t.loser_batch_id = $1 and t.event_id = x.event_id`,
  handovers: `delete from analytics.backfill_handovers t using pg_temp.erased_event x
               where (t.from_batch_id = $1 or t.to_batch_id = $1) and t.event_id = x.event_id`,
  quarantine: `delete from analytics.backfill_quarantine t using pg_temp.erased_line x
                where t.batch_id = $1 and t.source_file = x.source_file and t.line_no = x.line_no`,
  occurrences: `delete from analytics.backfill_occurrences t using pg_temp.erased_line x
                 where t.batch_id = $1 and t.file_no = x.file_no and t.line_no = x.line_no`,
} as const;

/** Deletes the batch's rows of the erased events and lines. @returns how many, by what they were */
export async function eraseBatchRows(
  client: Client,
  batch: Pick<BatchRow, 'batch_id' | 'window_start' | 'window_end'>,
): Promise<Record<keyof typeof ROWS, number>> {
  const counts = {} as Record<keyof typeof ROWS, number>;
  for (const [store, text] of Object.entries(ROWS) as [keyof typeof ROWS, string][]) {
    const values = [batch.batch_id, ...(store === 'tombstones' ? [batch.window_start, batch.window_end] : [])];
    counts[store] = (await client.query(text, values)).rowCount ?? 0;
  }
  return counts;
}
