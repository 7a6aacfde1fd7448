import type { Queryable } from '../pool.ts';

export interface LinePlace {
  file_no: number;
  line_no: number;
}

/** Lines of a batch that the ledger knows to be about events of a person, or that the clear id has found. */
export async function listLinesOfPerson(
  db: Queryable,
  batchId: string,
  { erasureId, pseudonyms }: { erasureId: number; pseudonyms: readonly string[] },
): Promise<LinePlace[]> {
  const { rows } = await db.query<LinePlace>(
    `with event as (
       select event_id from analytics.events_backfill_staging where batch_id = $1 and subject_id = any ($3)
        union
       select event_id from analytics.backfill_erasure_events where erasure_id = $2
     )
     select f.file_no, r.line_no
       from analytics.backfill_event_checkpoint_raw r join analytics.backfill_files f using (batch_id, source_file)
      where r.batch_id = $1 and r.event_id in (select event_id from event)
      union
     select f.file_no, l.line_no
       from analytics.backfill_lineage l join analytics.backfill_files f using (batch_id, source_file)
      where l.batch_id = $1 and l.event_id in (select event_id from event)
      union
     select e.file_no, e.line_no
       from analytics.backfill_erasure_lines e join analytics.backfill_batches b using (batch_id, attempt)
      where e.erasure_id = $2 and e.batch_id = $1`,
    [batchId, erasureId, pseudonyms],
  );
  return rows;
}
