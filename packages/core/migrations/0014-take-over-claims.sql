-- A loser that means to publish the event all the same: its verification found nobody published that has it. What it
-- says is what was measured and signed; only the loser's own verification and publish change it.
alter table analytics.backfill_losers add column to_publish boolean not null default false;
-- Who else delivered an event, and who lost to a batch.
create index backfill_losers_event on analytics.backfill_losers (event_id);
create index backfill_losers_winner on analytics.backfill_losers (winner_batch_id);

-- What a batch's publish would write: the rows that were new when they were imported, without those lost since, and
-- those it lost to somebody who does not publish them. One row per event; the same ones whenever it is asked, since
-- staging is append-only.
create view analytics.backfill_rows_to_publish as
  select s.*
    from analytics.events_backfill_staging s
   where not s.is_duplicate
     and not exists (select 1 from analytics.backfill_losers l
                      where l.loser_batch_id = s.batch_id and l.event_id = s.event_id)
  union all
  (select distinct on (s.batch_id, s.event_id) s.*
     from analytics.backfill_losers l
     join analytics.events_backfill_staging s on s.batch_id = l.loser_batch_id and s.event_id = l.event_id
    where l.to_publish and s.duplicate_kind is distinct from 'same_batch'
    order by s.batch_id, s.event_id, s.is_duplicate, s.part_id, s.schema_version);

-- Lets the gates of unpublished batches run again that delivered what the batch has just lost by its rollback: those
-- events are theirs now. To be called by tombstone_batch.
create function analytics.hand_over_to_unpublished(p_batch_id text) returns void language plpgsql as $$
declare
  v_heirs text[];
begin
  select array_agg(distinct loser_batch_id) into v_heirs
    from analytics.backfill_losers where winner_batch_id = p_batch_id and not to_publish;
  perform 1 from analytics.backfill_batches where batch_id = any (v_heirs) order by batch_id for no key update;
  update analytics.backfill_batches
     set status = 'verifying', status_reason = format('%s was rolled back, and what both delivered comes to this batch', p_batch_id)
   where batch_id = any (v_heirs) and status = 'awaiting_publish_approval';
  update analytics.backfill_batches set resume_status = 'verifying'
   where batch_id = any (v_heirs) and resume_status in ('awaiting_publish_approval', 'publishing');
end $$;
