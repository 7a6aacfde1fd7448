-- A publish that costs little more than the bare INSERT of its rows.

-- The UTC days of the rows to publish, as the verification found them: the publish makes their partitions.
alter table analytics.backfill_batches add column publish_days date[];
-- Over the sorted ids of what was published, where nothing of what was signed was left out; else it is read with the count.
alter table analytics.backfill_publishes add column checksum text;

-- Whether somebody else has one of the batch's rows to publish, or delivered one too and may publish it.
create function analytics.shares_rows_to_publish(p_batch_id text) returns boolean language plpgsql as $$
declare
  v_start timestamptz;
  v_end timestamptz;
begin
  select window_start, window_end into v_start, v_end from analytics.backfill_batches where batch_id = p_batch_id;
  return exists (select 1 from analytics.backfill_losers where loser_batch_id = p_batch_id)
      or exists (select 1 from analytics.backfill_losers where winner_batch_id = p_batch_id)
      or exists (select 1 from analytics.backfill_rows_to_publish s
                   join analytics.events_log e on e.event_id = s.event_id and e.event_ts = s.event_ts
                  where s.batch_id = p_batch_id and e.deleted_at is null
                    and e.event_ts >= v_start and e.event_ts < v_end);
end $$;

-- Writes the batch's rows to publish into the stored events, without those of people who are suppressed and those that
-- somebody else has; returns how many. To be called by publish_batch_rows.
create function analytics.insert_rows_to_publish(p_batch_id text) returns bigint language plpgsql as $$
declare
  v_rows bigint;
begin
  if not analytics.shares_rows_to_publish(p_batch_id) then
    -- Nobody else is known to have any of them. ON CONFLICT would look each row up before writing it, which takes half as
    -- long as the writing, and key order would sort them.
    begin
      insert into analytics.events_log
        (event_id, source, event_name, schema_version, event_ts, session_id, subject_id, payload, batch_id)
      select s.event_id, s.source, s.event_name, s.schema_version, s.event_ts, s.session_id, s.subject_id, s.payload, s.batch_id
        from analytics.backfill_rows_to_publish s
       where s.batch_id = p_batch_id
         and not exists (select 1 from analytics.privacy_suppressions p
                          where p.subject_id = s.subject_id and p.effective_from <= greatest(now(), p.recorded_at));
      get diagnostics v_rows = row_count;
      return v_rows;
    exception when unique_violation then
      -- One of them was delivered live meanwhile. What was written is undone, and written again with care.
      null;
    end;
  end if;
  insert into analytics.events_log
    (event_id, source, event_name, schema_version, event_ts, session_id, subject_id, payload, batch_id)
  select s.event_id, s.source, s.event_name, s.schema_version, s.event_ts, s.session_id, s.subject_id, s.payload, s.batch_id
    from analytics.backfill_rows_to_publish s
   where s.batch_id = p_batch_id
     and not exists (select 1 from analytics.privacy_suppressions p
                      where p.subject_id = s.subject_id and p.effective_from <= greatest(now(), p.recorded_at))
   -- In key order, so that two publishes with the same events wait for each other instead of deadlocking.
   order by s.event_id
  on conflict do nothing;
  get diagnostics v_rows = row_count;
  return v_rows;
end $$;

-- As before, but told how many rows were signed: they are counted where they are compared with the signed digest.
drop function analytics.publish_batch_rows(text);
create function analytics.publish_batch_rows(
  p_batch_id text, p_signed bigint,
  out published bigint, out newly_suppressed bigint, out newly_live bigint, out not_taken_over bigint)
language plpgsql as $$
declare
  v_start timestamptz;
  v_end timestamptz;
begin
  published := analytics.insert_rows_to_publish(p_batch_id);
  newly_suppressed := 0;
  newly_live := 0;
  not_taken_over := 0;
  if published = p_signed
     and not exists (select 1 from analytics.backfill_losers where loser_batch_id = p_batch_id) then
    return;
  end if;
  select window_start, window_end into v_start, v_end from analytics.backfill_batches where batch_id = p_batch_id;

  with candidates as (
    select s.part_id, s.event_id, s.event_ts, s.subject_id, s.duplicate_kind, true as is_signed, null as lost_as
      from analytics.backfill_rows_to_publish s
     -- When all of them were published, only those are to be booked that were not new at the import.
     where s.batch_id = p_batch_id and (published < p_signed or s.duplicate_kind is not null)
    union all
    -- New when it was imported, and known as lost, or as a suppressed person's, since.
    select s.part_id, s.event_id, s.event_ts, s.subject_id, s.duplicate_kind, false,
           case when l.withheld then 'suppressed' when l.winner_batch_id is null then 'live' else 'other_batch' end
      from analytics.backfill_losers l
      join analytics.events_backfill_staging s on s.batch_id = l.loser_batch_id and s.event_id = l.event_id
     where l.loser_batch_id = p_batch_id and s.batch_id = p_batch_id and not l.to_publish and not s.is_duplicate
  ), judged as (
    select c.part_id, c.event_id, c.duplicate_kind, c.is_signed, live.batch_id as winner,
           case when own.event_id is not null then 'published'
                when live.event_id is not null then case when live.batch_id is null then 'live' else 'other_batch' end
                when exists (select 1 from analytics.privacy_suppressions p
                              where p.subject_id = c.subject_id and p.effective_from <= greatest(now(), p.recorded_at))
                     then 'suppressed'
                else c.lost_as end as outcome
      from candidates c
      left join analytics.events_log own
             on own.event_id = c.event_id and own.event_ts = c.event_ts and own.deleted_at is null
            and own.batch_id = p_batch_id and own.event_ts >= v_start and own.event_ts < v_end
      left join analytics.events_log live
             on live.event_id = c.event_id and live.event_ts = c.event_ts and live.deleted_at is null
            and live.batch_id is distinct from p_batch_id and live.event_ts >= v_start and live.event_ts < v_end
  ), per_part as (
    select part_id,
           count(*) filter (where outcome = 'published' and duplicate_kind = 'other_batch') as from_other_batch,
           count(*) filter (where outcome = 'published' and duplicate_kind = 'live') as from_live,
           count(*) filter (where outcome = 'other_batch' and duplicate_kind is null) as to_other_batch,
           count(*) filter (where outcome = 'live' and duplicate_kind is null) as to_live,
           count(*) filter (where outcome = 'suppressed' and duplicate_kind is null) as to_suppressed
      from judged group by part_id
  ), booked as (
    update analytics.backfill_import_parts p
       set inserted = p.inserted + c.from_other_batch + c.from_live - c.to_other_batch - c.to_live - c.to_suppressed,
           duplicate_other_batch = p.duplicate_other_batch + c.to_other_batch - c.from_other_batch,
           duplicate_live = p.duplicate_live + c.to_live - c.from_live,
           event_count = p.event_count - c.to_suppressed,
           suppressed = p.suppressed + c.to_suppressed,
           suppressed_at_publish = p.suppressed_at_publish + c.to_suppressed
      from per_part c where p.part_id = c.part_id
  ), lost as (
    insert into analytics.backfill_losers (loser_batch_id, event_id, winner_batch_id, winner_attempt)
    select p_batch_id, j.event_id, j.winner, w.attempt
      from judged j left join analytics.backfill_batches w on w.batch_id = j.winner
     where j.is_signed and j.outcome in ('live', 'other_batch') order by j.event_id
    on conflict (loser_batch_id, event_id) do update
       set winner_batch_id = excluded.winner_batch_id, winner_attempt = excluded.winner_attempt, to_publish = false
  ), given_up as (
    update analytics.backfill_losers l set to_publish = false
      from judged j
     where j.outcome = 'suppressed' and l.loser_batch_id = p_batch_id and l.event_id = j.event_id and l.to_publish
  )
  select count(*) filter (where is_signed and outcome = 'suppressed'),
         count(*) filter (where is_signed and outcome in ('live', 'other_batch')),
         count(*) filter (where is_signed and outcome in ('live', 'other_batch') and duplicate_kind is not null)
    into newly_suppressed, newly_live, not_taken_over
    from judged;
end $$;
