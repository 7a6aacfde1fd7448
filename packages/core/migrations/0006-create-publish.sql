-- Every write of a batch into the stored events is this function, so that the suppression check cannot be forgotten.
-- Call it in the transaction that also changes the batch's status. What is left out (people suppressed, events
-- delivered live, both since the import) is booked in the ledger as what it is now, so that the balance stays true.
create function analytics.publish_batch_rows(
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
           suppressed = p.suppressed + c.suppressed
      from per_part c where p.part_id = c.part_id
    returning c.live, c.suppressed
  )
  select coalesce(sum(live), 0), coalesce(sum(suppressed), 0) into newly_live, newly_suppressed from booked;
end $$;

-- What a rollback did and the proof of it, one row each.
create table analytics.backfill_rollbacks (
  rollback_id bigint generated always as identity primary key,
  batch_id text collate "C" not null references analytics.backfill_batches,
  attempt integer not null,
  mode text not null,
  actor text not null,
  tombstoned bigint not null,
  keys_freed bigint not null,
  live_rows_after bigint not null,
  keys_after bigint not null,
  rolled_back_at timestamptz not null default now()
);

-- First step of a rollback: fences off whatever runs for the batch. To be committed before the second step, which
-- waits for what is in flight; importers that kept coming could hold it up for ever otherwise.
create function analytics.begin_rollback(p_batch_id text) returns void language plpgsql as $$
declare
  v_status text;
begin
  select status into v_status from analytics.backfill_batches where batch_id = p_batch_id for no key update;
  if not found then
    raise exception 'unknown batch %', p_batch_id using errcode = 'no_data_found',
      hint = 'SELECT batch_id, status FROM analytics.backfill_batches lists what there is.';
  end if;
  if v_status in ('rolling_back', 'rolled_back') then
    return;
  end if;
  perform set_config('analytics.actor',
                     coalesce(nullif(current_setting('analytics.actor', true), ''), 'sql:' || session_user), true);
  update analytics.backfill_batches set status = 'rolling_back', status_reason = 'tombstone' where batch_id = p_batch_id;
end $$;

-- Second step: tombstones the batch's stored events, frees its keys, proves both. One transaction, safe to repeat (a
-- batch that is already rolled back returns its stored proof), and the same for the service and for psql.
create function analytics.tombstone_batch(p_batch_id text) returns analytics.backfill_rollbacks language plpgsql as $$
declare
  v_batch analytics.backfill_batches;
  v_proof analytics.backfill_rollbacks;
  v_actor text := coalesce(nullif(current_setting('analytics.actor', true), ''), 'sql:' || session_user);
begin
  perform analytics.begin_rollback(p_batch_id);
  -- Waits for the transactions that hold FOR KEY SHARE on the batch: parts being imported, a publish under way.
  select * into v_batch from analytics.backfill_batches where batch_id = p_batch_id for update;
  if v_batch.status = 'rolled_back' then
    select * into v_proof from analytics.backfill_rollbacks
     where batch_id = p_batch_id order by rollback_id desc limit 1;
    return v_proof;
  end if;
  perform set_config('analytics.actor', v_actor, true);

  -- Events before keys: the order in which imports lock them too.
  update analytics.events_log set deleted_at = now() where batch_id = p_batch_id and deleted_at is null;
  get diagnostics v_proof.tombstoned = row_count;
  delete from analytics.backfill_event_checkpoint where batch_id = p_batch_id;
  get diagnostics v_proof.keys_freed = row_count;

  -- The proof counts anew, in statements that see what was committed since.
  select count(*) into v_proof.live_rows_after from analytics.events_log
   where batch_id = p_batch_id and deleted_at is null;
  select count(*) into v_proof.keys_after from analytics.backfill_event_checkpoint where batch_id = p_batch_id;
  if v_proof.live_rows_after <> 0 or v_proof.keys_after <> 0 then
    raise exception 'rollback of % would leave % live rows and % keys', p_batch_id, v_proof.live_rows_after, v_proof.keys_after;
  end if;

  insert into analytics.backfill_rollbacks
    (batch_id, attempt, mode, actor, tombstoned, keys_freed, live_rows_after, keys_after)
  values (p_batch_id, v_batch.attempt, 'tombstone', v_actor, v_proof.tombstoned, v_proof.keys_freed, 0, 0)
  returning * into v_proof;
  update analytics.backfill_batches
     set status = 'rolled_back', status_reason = 'tombstone', row_count = null, checksum = null, canary_passed = null,
         gate_set_hash = null, rows_digest = null
   where batch_id = p_batch_id;
  return v_proof;
end $$;
