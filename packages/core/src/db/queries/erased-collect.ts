import type { Client } from '../pool.ts';
import type { LinePlace } from './person-line-list.ts';

/** A line of the mirror that is to be emptied. */
export interface ErasedLine extends LinePlace {
  /** Whose it is. */
  erasure_id: number;
  /** What the recipe makes of it; what was imported or quarantined stands in the ledger. */
  was: 'filtered' | 'expired' | 'other';
}

/** Collects in temporary tables what is to go: the lines, and the events of the person that the batch has anything of. */
export async function collectErased(
  client: Client,
  batchId: string,
  given: { erasureId: number; pseudonyms: readonly string[]; lines: readonly ErasedLine[]; events: readonly string[] },
): Promise<{ lines: number; events: string[] }> {
  const { erasureId, pseudonyms, lines, events } = given;
  await client.query(`select set_config('analytics.erasing', 'on', true)`);
  await client.query(
    `create temporary table erased_line (file_no integer, source_file text collate "C", line_no bigint, was text,
       erasure_id bigint, primary key (file_no, line_no)) on commit drop`,
  );
  await client.query(
    `create temporary table erased_event (event_id text collate "C" primary key, is_own boolean not null) on commit drop`,
  );
  const { rowCount } = await client.query(
    `insert into pg_temp.erased_line
     select l.file_no, f.source_file, l.line_no, l.was, l.erasure_id
       from jsonb_to_recordset($2::jsonb) as l (file_no integer, line_no bigint, was text, erasure_id bigint)
       join analytics.backfill_files f on f.batch_id = $1 and f.file_no = l.file_no
         on conflict do nothing`,
    [batchId, JSON.stringify(lines)],
  );
  const { rows } = await client.query<{ event_id: string }>(
    `insert into pg_temp.erased_event
     select event_id,
            exists (select 1 from analytics.events_log e
                     where e.event_id = found.event_id and e.batch_id = $1 and e.deleted_at is null)
            or exists (select 1 from analytics.backfill_erasure_events e
                        where e.erasure_id = $2 and e.event_id = found.event_id and e.batch_id = $1)
       from (select event_id from analytics.events_backfill_staging where batch_id = $1 and subject_id = any ($3)
              union
             select event_id from analytics.backfill_erasure_events where erasure_id = $2
              union
             select unnest($4::text[])
              union
             select r.event_id from analytics.backfill_event_checkpoint_raw r
               join pg_temp.erased_line using (source_file, line_no) where r.batch_id = $1
              union
             select l.event_id from analytics.backfill_lineage l
               join pg_temp.erased_line using (source_file, line_no) where l.batch_id = $1) as found
     returning event_id`,
    [batchId, erasureId, pseudonyms, events],
  );
  await client.query('analyze pg_temp.erased_line');
  await client.query('analyze pg_temp.erased_event');
  await client.query(
    `insert into analytics.backfill_erasure_events (erasure_id, event_id)
     select $1, event_id from pg_temp.erased_event order by event_id on conflict do nothing`,
    [erasureId],
  );
  return { lines: rowCount ?? 0, events: rows.map((row) => row.event_id) };
}
