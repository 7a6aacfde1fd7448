import type { Queryable } from '../pool.ts';

/** A row to publish, and the line that its part and the lineage say it came from. */
export interface StagedSample {
  event_id: string;
  source: string;
  event_name: string;
  schema_version: string;
  /** `YYYYMMDDHHMMSSmmm`, UTC. */
  event_time: string;
  session_id: string | null;
  subject_id: string | null;
  /** The stored text. */
  payload: string;
  file_no: number;
  source_file: string;
  /** Null where the lineage has no line of the row's part for it. */
  line_no: number | null;
}

export const STAGED_SAMPLE_SQL = `
  select s.event_id, s.source, s.event_name, s.schema_version,
         to_char(s.event_ts at time zone 'UTC', 'YYYYMMDDHH24MISSMS') as event_time,
         s.session_id, s.subject_id, s.payload::text as payload, f.file_no, f.source_file,
         (select min(l.line_no) from analytics.backfill_lineage l
           where l.batch_id = $1 and l.source_file = f.source_file and l.event_id = s.event_id
             and l.line_no >= p.first_line and l.line_no < p.first_line + p.line_count) as line_no
    from (select distinct on (event_id) *
            from analytics.events_backfill_staging
           where batch_id = $1 and event_id = any ($2) and duplicate_kind is distinct from 'same_batch'
           order by event_id, is_duplicate, part_id, schema_version) s
    join analytics.backfill_import_parts p using (part_id)
    join analytics.backfill_files f on f.batch_id = p.batch_id and f.file_no = p.file_no
   where p.batch_id = $1
   order by s.event_id`;

/**
 * The rows of these events, each with its line. Of the staged rows: which of them are to be published may have changed since
 * the events were drawn, and what the verification says of its rows must not depend on that.
 */
export async function listStagedSamples(
  db: Queryable,
  batchId: string,
  eventIds: readonly string[],
): Promise<StagedSample[]> {
  const { rows } = await db.query<StagedSample>(STAGED_SAMPLE_SQL, [batchId, eventIds]);
  return rows;
}

/** The file that each import part of the batch is of, by their numbers. */
export async function listFilesOfParts(db: Queryable, batchId: string): Promise<ReadonlyMap<number, number>> {
  const { rows } = await db.query<{ part_id: number; file_no: number }>(
    'select part_id, file_no from analytics.backfill_import_parts where batch_id = $1',
    [batchId],
  );
  return new Map(rows.map(({ part_id, file_no }) => [part_id, file_no]));
}
