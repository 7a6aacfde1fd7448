import type { PartBooks } from '../../erasure/amend-part-counts.ts';
import type { Client } from '../pool.ts';

/** A part of the batch that has lines of the person, and what is known of how they are booked. */
export interface PartToAmend extends PartBooks {
  part_id: number;
  state: 'ready' | 'imported';
  object_key: string | null;
  /** Accepted lines that go, without those that are booked as suppressed already. */
  accepted: number;
  quarantined: number;
  filtered: number;
  expired: number;
  known: PartBooks;
}

/** Counts per part what of its lines goes, by what they are booked as. */
export async function listPartsToAmend(client: Client, batchId: string): Promise<PartToAmend[]> {
  const { rows } = await client.query<Omit<PartToAmend, 'known'> & Record<`known_${keyof PartBooks}`, number>>(
    `with part as (
       select p.*, f.source_file, p.first_line + p.line_count as end_line
         from analytics.backfill_import_parts p join analytics.backfill_files f using (batch_id, file_no)
        where p.batch_id = $1
     ), line as (
       select r.event_id, part.part_id, x.is_own,
              row_number() over (partition by r.event_id order by part.part_id, r.line_no) as nth
         from analytics.backfill_event_checkpoint_raw r
         join pg_temp.erased_event x using (event_id)
         join part on part.source_file = r.source_file and r.line_no >= part.first_line and r.line_no < part.end_line
        where r.batch_id = $1
     ), published as (
       -- A publish has booked anew what it has left out and taken over.
       select exists (select 1 from analytics.backfill_publishes p join analytics.backfill_batches b using (batch_id, attempt)
                       where p.batch_id = $1 and p.published is not null) as is_rebooked
     ), booked as (
       select line.part_id,
              case when not is_rebooked then 'unknown'
                   when nth > 1 then 'same_batch'
                   when is_own then 'inserted'
                   when lost.event_id is null then 'suppressed'
                   when lost.winner_batch_id is null then 'live' else 'other_batch' end as kind
         from line cross join published
         left join analytics.backfill_losers lost
                on lost.loser_batch_id = $1 and lost.event_id = line.event_id and not lost.only_withheld
     ), accepted as (
       select part_id, count(*) filter (where kind <> 'suppressed') as accepted,
              count(*) filter (where kind = 'inserted') as inserted, count(*) filter (where kind = 'same_batch') as same_batch,
              count(*) filter (where kind = 'other_batch') as other_batch, count(*) filter (where kind = 'live') as live
         from booked group by part_id
     ), staged as (
       select s.part_id, count(*) filter (where duplicate_kind is null) as inserted,
              count(*) filter (where duplicate_kind = 'same_batch') as same_batch,
              count(*) filter (where duplicate_kind = 'other_batch') as other_batch,
              count(*) filter (where duplicate_kind = 'live') as live
         from analytics.events_backfill_staging s join pg_temp.erased_event using (event_id) cross join published
        where s.batch_id = $1 and not is_rebooked group by s.part_id
     ), other as (
       select part.part_id, count(q.line_no) as quarantined,
              count(*) filter (where q.line_no is null and r.line_no is null and l.was = 'filtered') as filtered,
              count(*) filter (where q.line_no is null and r.line_no is null and l.was = 'expired') as expired
         from pg_temp.erased_line l
         join part on part.source_file = l.source_file and l.line_no >= part.first_line and l.line_no < part.end_line
         left join analytics.backfill_quarantine q
                on q.batch_id = $1 and q.source_file = l.source_file and q.line_no = l.line_no
         left join analytics.backfill_event_checkpoint_raw r
                on r.batch_id = $1 and r.source_file = l.source_file and r.line_no = l.line_no
        group by part.part_id
     )
     select part.part_id, part.state, part.object_key, part.inserted, part.duplicate_same_batch,
            part.duplicate_other_batch, part.duplicate_live,
            coalesce(a.accepted, 0) as accepted, coalesce(o.quarantined, 0) as quarantined,
            coalesce(o.filtered, 0) as filtered, coalesce(o.expired, 0) as expired,
            coalesce(s.inserted, a.inserted, 0) as known_inserted,
            coalesce(s.same_batch, a.same_batch, 0) as known_duplicate_same_batch,
            coalesce(s.other_batch, a.other_batch, 0) as known_duplicate_other_batch,
            coalesce(s.live, a.live, 0) as known_duplicate_live
       from part
       left join accepted a using (part_id) left join staged s using (part_id) left join other o using (part_id)
      where a.part_id is not null or o.part_id is not null
      order by part.part_id`,
    [batchId],
  );
  return rows.map(
    ({ known_inserted, known_duplicate_same_batch, known_duplicate_other_batch, known_duplicate_live, ...part }) => ({
      ...part,
      known: {
        inserted: known_inserted,
        duplicate_same_batch: known_duplicate_same_batch,
        duplicate_other_batch: known_duplicate_other_batch,
        duplicate_live: known_duplicate_live,
      },
    }),
  );
}
