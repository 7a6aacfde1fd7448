-- Where the dedup store is: here, or in a database of its own (CHECKPOINT_DATABASE_URL), which carries the same
-- events_id. The services see to it that the row and their environment agree before they start.
create table analytics.backfill_key_store (
  one boolean primary key default true check (one),
  events_id uuid not null default gen_random_uuid(),
  is_separate boolean not null default false
);
insert into analytics.backfill_key_store default values;

-- What became of a transaction over both databases, under the name that its keys are prepared under. The row commits
-- with the events, and is the decision; whoever finds prepared keys without one writes 'aborted' first.
create table analytics.backfill_key_decisions (
  gid text collate "C" primary key,
  decision text not null check (decision in ('committed', 'aborted')),
  decided_at timestamptz not null default now()
);
create index backfill_key_decisions_age on analytics.backfill_key_decisions (decided_at);

-- NULL: the batch is rolled back, and its keys, in the other database, still have to be freed. Nobody claims or loses a
-- key of such a batch.
alter table analytics.backfill_rollbacks
  alter column keys_freed drop not null, alter column keys_after drop not null;
create index backfill_rollbacks_open on analytics.backfill_rollbacks (batch_id) where keys_freed is null;

-- Frees the batch's keys, and counts them and what is left; both NULL when they are in another database, out of reach
-- from here: the services free them then, and complete the proof.
create function analytics.free_batch_keys(p_batch_id text, out freed bigint, out remaining bigint) language plpgsql as $$
begin
  -- Locked, so that the store stays where it is until the transaction ends.
  perform 1 from analytics.backfill_key_store where is_separate for share;
  if found then
    return;
  end if;
  delete from analytics.backfill_event_checkpoint where batch_id = p_batch_id;
  get diagnostics freed = row_count;
  select count(*) into remaining from analytics.backfill_event_checkpoint where batch_id = p_batch_id;
end $$;

-- Second step: tombstones the batch's stored events, frees its keys, proves both. One transaction, safe to repeat (a
-- batch that is already rolled back returns its stored proof), and the same for the service and for psql.
create or replace function analytics.tombstone_batch(p_batch_id text) returns analytics.backfill_rollbacks
language plpgsql as $$
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
  return v_proof;
end $$;
