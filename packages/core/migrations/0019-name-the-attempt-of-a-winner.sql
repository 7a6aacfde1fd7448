-- Which attempt of the winner had the event. One that was taken back and runs anew may not deliver it any more: that it
-- is published says nothing then.
alter table analytics.backfill_losers add column winner_attempt integer;
update analytics.backfill_losers l set winner_attempt = w.attempt
  from analytics.backfill_batches w where w.batch_id = l.winner_batch_id;
-- Few at any time: a publish looks here for those that mean to publish one of its events.
create index backfill_losers_to_publish on analytics.backfill_losers (event_id) where to_publish;

-- Every write of a batch into the stored events is this function, so that the suppression check cannot be forgotten.
-- Call it in the transaction that also changes the batch's status. What is left out (people suppressed, events that
-- somebody else has live) is booked in the ledger as what it is now, as is what the batch had lost and publishes after
-- all, so that the balance stays true. Afterwards the batch's losers that say to_publish are the events whose keys it
-- has to take over.
-- Judges in proportion to what is to be booked.
drop function analytics.publish_batch_rows(text);
create function analytics.publish_batch_rows(
  p_batch_id text, out published bigint, out newly_suppressed bigint, out newly_live bigint, out not_taken_over bigint)
language plpgsql as $$
declare
  v_signed bigint;
  v_start timestamptz;
  v_end timestamptz;
begin
  select window_start, window_end into v_start, v_end from analytics.backfill_batches where batch_id = p_batch_id;
  insert into analytics.events_log
    (event_id, source, event_name, schema_version, event_ts, session_id, subject_id, payload, batch_id)
  select s.event_id, s.source, s.event_name, s.schema_version, s.event_ts, s.session_id, s.subject_id, s.payload, s.batch_id
    from analytics.backfill_rows_to_publish s
   where s.batch_id = p_batch_id
     and not exists (select 1 from analytics.privacy_suppressions p
                      where p.subject_id = s.subject_id and p.effective_from <= now())
   -- In key order, so that two publishes with the same events wait for each other instead of deadlocking.
   order by s.event_id
  on conflict do nothing;
  get diagnostics published = row_count;

  select count(*) into v_signed from analytics.backfill_rows_to_publish where batch_id = p_batch_id;
  newly_suppressed := 0;
  newly_live := 0;
  not_taken_over := 0;
  if published = v_signed
     and not exists (select 1 from analytics.backfill_losers where loser_batch_id = p_batch_id) then
    return;
  end if;

  with candidates as (
    select s.part_id, s.event_id, s.event_ts, s.subject_id, s.duplicate_kind, true as is_signed, null as lost_as
      from analytics.backfill_rows_to_publish s
     -- When all of them were published, only those are to be booked that were not new at the import.
     where s.batch_id = p_batch_id and (published < v_signed or s.duplicate_kind is not null)
    union all
    -- New when it was imported, and known as lost since.
    select s.part_id, s.event_id, s.event_ts, s.subject_id, s.duplicate_kind, false,
           case when l.winner_batch_id is null then 'live' else 'other_batch' end
      from analytics.backfill_losers l
      join analytics.events_backfill_staging s on s.batch_id = l.loser_batch_id and s.event_id = l.event_id
     where l.loser_batch_id = p_batch_id and s.batch_id = p_batch_id and not l.to_publish and not s.is_duplicate
  ), judged as (
    select c.part_id, c.event_id, c.duplicate_kind, c.is_signed, live.batch_id as winner,
           case when own.event_id is not null then 'published'
                when live.event_id is not null then case when live.batch_id is null then 'live' else 'other_batch' end
                when exists (select 1 from analytics.privacy_suppressions p
                              where p.subject_id = c.subject_id and p.effective_from <= now()) then 'suppressed'
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

-- As before, but with one lock on the batch instead of two.
create or replace function analytics.tombstone_batch(p_batch_id text) returns analytics.backfill_rollbacks
language plpgsql as $$
declare
  v_batch analytics.backfill_batches;
  v_proof analytics.backfill_rollbacks;
  v_actor text := coalesce(nullif(current_setting('analytics.actor', true), ''), 'sql:' || session_user);
begin
  -- Waits for the transactions that hold FOR KEY SHARE on the batch: parts being imported, a publish under way, of this
  -- batch or of another one that takes over what it claims. First of all: a weaker lock, held meanwhile, would be in the
  -- way of that other one when it sends this batch back to its gates.
  select * into v_batch from analytics.backfill_batches where batch_id = p_batch_id for update;
  perform analytics.begin_rollback(p_batch_id);
  if v_batch.status = 'rolled_back' then
    select * into v_proof from analytics.backfill_rollbacks
     where batch_id = p_batch_id order by rollback_id desc limit 1;
    return v_proof;
  end if;
  perform set_config('analytics.actor', v_actor, true);

  -- Events before keys: the order in which imports lock them too.
  update analytics.events_log set deleted_at = now() where batch_id = p_batch_id and deleted_at is null;
  get diagnostics v_proof.tombstoned = row_count;
  select freed, remaining into v_proof.keys_freed, v_proof.keys_after from analytics.free_batch_keys(p_batch_id);

  -- The proof counts anew, in statements that see what was committed since.
  select count(*) into v_proof.live_rows_after from analytics.events_log
   where batch_id = p_batch_id and deleted_at is null;
  if v_proof.live_rows_after <> 0 or v_proof.keys_after <> 0 then
    raise exception 'rollback of % would leave % live rows and % keys', p_batch_id, v_proof.live_rows_after, v_proof.keys_after;
  end if;

  insert into analytics.backfill_rollbacks
    (batch_id, attempt, mode, actor, tombstoned, keys_freed, live_rows_after, keys_after)
  values (p_batch_id, v_batch.attempt, 'tombstone', v_actor, v_proof.tombstoned, v_proof.keys_freed, 0, v_proof.keys_after)
  returning * into v_proof;
  update analytics.backfill_batches
     set status = 'rolled_back', status_reason = 'tombstone', row_count = null, checksum = null, canary_passed = null,
         gate_set_hash = null, rows_digest = null
   where batch_id = p_batch_id;
  perform analytics.hand_over_to_unpublished(p_batch_id);
  return v_proof;
end $$;
