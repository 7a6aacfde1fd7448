-- Every write of a batch into the stored events is this function, so that the suppression check cannot be
-- forgotten. Call it in the transaction that also changes the batch's status.
create function analytics.publish_batch_rows(p_batch_id text, out published bigint, out newly_suppressed bigint, out newly_live bigint)
language plpgsql as $$
declare
  v_to_publish bigint;
begin
  select count(*) filter (where not suppressed), count(*) filter (where suppressed)
    into v_to_publish, newly_suppressed
    from (select exists (select 1 from analytics.privacy_suppressions p where p.subject_id = s.subject_id) as suppressed
            from analytics.events_backfill_staging s
           where s.batch_id = p_batch_id and not s.is_duplicate) staged;

  insert into analytics.events_log
    (event_id, source, event_name, schema_version, event_ts, session_id, subject_id, payload, batch_id)
  select s.event_id, s.source, s.event_name, s.schema_version, s.event_ts, s.session_id, s.subject_id, s.payload, s.batch_id
    from analytics.events_backfill_staging s
   where s.batch_id = p_batch_id and not s.is_duplicate
     and not exists (select 1 from analytics.privacy_suppressions p where p.subject_id = s.subject_id)
   -- In key order, so that two publishes with the same events wait for each other instead of deadlocking.
   order by s.event_id
  on conflict do nothing;
  get diagnostics published = row_count;
  newly_live := v_to_publish - published;
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

-- Takes a batch back: tombstones its stored events, frees its keys, proves both. One transaction, safe to repeat
-- (a batch that is already rolled back returns its stored proof), and the same for the service and for psql.
create function analytics.tombstone_batch(p_batch_id text) returns analytics.backfill_rollbacks language plpgsql as $$
declare
  v_batch analytics.backfill_batches;
  v_proof analytics.backfill_rollbacks;
  v_actor text := coalesce(nullif(current_setting('analytics.actor', true), ''), 'sql:' || session_user);
begin
  -- Waits for the transactions that hold FOR KEY SHARE on the batch: parts being imported, a publish under way.
  select * into v_batch from analytics.backfill_batches where batch_id = p_batch_id for update;
  if not found then
    raise exception 'unknown batch %', p_batch_id using errcode = 'no_data_found',
      hint = 'SELECT batch_id, status FROM analytics.backfill_batches lists what there is.';
  end if;
  if v_batch.status = 'rolled_back' then
    select * into v_proof from analytics.backfill_rollbacks
     where batch_id = p_batch_id order by rollback_id desc limit 1;
    return v_proof;
  end if;
  perform set_config('analytics.actor', v_actor, true);
  if v_batch.status <> 'rolling_back' then
    update analytics.backfill_batches set status = 'rolling_back', status_reason = 'tombstone' where batch_id = p_batch_id;
  end if;

  -- Stored events of a batch lie inside its window, which spares the other days the scan.
  update analytics.events_log set deleted_at = now()
   where batch_id = p_batch_id and deleted_at is null
     and event_ts >= v_batch.window_start and event_ts < v_batch.window_end;
  get diagnostics v_proof.tombstoned = row_count;

  delete from analytics.backfill_event_checkpoint c
   using (select distinct event_id from analytics.backfill_event_checkpoint_raw where batch_id = p_batch_id) r
   where c.event_id = r.event_id and c.batch_id = p_batch_id;
  get diagnostics v_proof.keys_freed = row_count;

  -- The proof looks everywhere, not only where the rollback looked.
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
         gate_set_hash = null
   where batch_id = p_batch_id;
  return v_proof;
end $$;
