-- What a publish left out because its person was suppressed meanwhile is booked as suppressed. Written down apart, so
-- that a replay can hold a part against what the transformer made of it.
alter table analytics.backfill_import_parts add column suppressed_at_publish bigint not null default 0;

create or replace function analytics.publish_batch_rows(
  p_batch_id text, out published bigint, out newly_suppressed bigint, out newly_live bigint)
language plpgsql as $$
declare
  v_staged bigint;
begin
  insert into analytics.events_log
    (event_id, source, event_name, schema_version, event_ts, session_id, subject_id, payload, batch_id)
  select s.event_id, s.source, s.event_name, s.schema_version, s.event_ts, s.session_id, s.subject_id, s.payload, s.batch_id
    from analytics.events_backfill_staging s
   where s.batch_id = p_batch_id and not s.is_duplicate
     and not exists (select 1 from analytics.privacy_suppressions p
                      where p.subject_id = s.subject_id and p.effective_from <= now())
   -- In key order, so that two publishes with the same events wait for each other instead of deadlocking.
   order by s.event_id
  on conflict do nothing;
  get diagnostics published = row_count;

  select count(*) into v_staged from analytics.events_backfill_staging
   where batch_id = p_batch_id and not is_duplicate;
  newly_suppressed := 0;
  newly_live := 0;
  if published = v_staged then
    return;
  end if;

  with left_out as (
    select s.part_id, live.event_id is not null as is_live
      from analytics.events_backfill_staging s
      join analytics.backfill_batches b on b.batch_id = s.batch_id
      left join analytics.events_log own
             on own.event_id = s.event_id and own.event_ts = s.event_ts and own.deleted_at is null
            and own.batch_id = p_batch_id
      left join analytics.events_log live
             on live.event_id = s.event_id and live.event_ts = s.event_ts and live.deleted_at is null
            and live.batch_id is distinct from p_batch_id
     where s.batch_id = p_batch_id and not s.is_duplicate and own.event_id is null
  ), per_part as (
    select part_id, count(*) filter (where is_live) as live, count(*) filter (where not is_live) as suppressed
      from left_out group by part_id
  ), booked as (
    update analytics.backfill_import_parts p
       set inserted = p.inserted - c.live - c.suppressed,
           duplicate_live = p.duplicate_live + c.live,
           event_count = p.event_count - c.suppressed,
           suppressed = p.suppressed + c.suppressed,
           suppressed_at_publish = p.suppressed_at_publish + c.suppressed
      from per_part c where p.part_id = c.part_id
    returning c.live, c.suppressed
  )
  select coalesce(sum(live), 0), coalesce(sum(suppressed), 0) into newly_live, newly_suppressed from booked;
end $$;
