-- A rollback has a mode, and a proof that says what became of everybody else's rows too.

-- How a batch that is being rolled back is to be taken back; NULL: as tombstones. The last wish counts until it is done.
alter table analytics.backfill_batches
  add column rollback_mode text check (rollback_mode in ('tombstone', 'window', 'snapshot'));
-- How it begins stands in the entry about the status.
create trigger backfill_batches_record_rollback_mode after update of rollback_mode on analytics.backfill_batches
  for each row when (old.status = 'rolling_back' and new.status = 'rolling_back'
                     and new.rollback_mode is distinct from old.rollback_mode)
  execute function analytics.record_batch_column('rollback_mode');

alter table analytics.backfill_rollbacks
  add check (mode in ('tombstone', 'window', 'snapshot')),
  -- Live rows of the batch outside of its window, which the mode 'window' leaves as they are, with their keys.
  add column left_outside bigint not null default 0,
  -- Work of the batch in the outbox.
  add column jobs_after bigint not null default 0,
  -- Number and sum of hashes of the live ids in source and window that are not the batch's, without those that were
  -- written by transactions which are not older than all that were under way when the rollback began: 'recent'.
  add column others_before text,
  add column others_after text,
  add column others_recent bigint,
  -- Of the mode 'snapshot': which one, and what became of its rows. NULL where there was none.
  add column snapshot jsonb,
  -- Tells whether a snapshot of a window was read before it.
  add column rolled_back_xid xid8 not null default pg_current_xact_id();

-- What a rollback has to restore, in a table of its own: loaded by a service, in one transaction, and dropped by the
-- rollback.
create table analytics.backfill_snapshot_loads (
  publish_id bigint primary key references analytics.backfill_publishes,
  batch_id text collate "C" not null references analytics.backfill_batches,
  -- In the schema analytics.
  table_name text not null,
  loaded_at timestamptz not null default clock_timestamp()
);
create index backfill_snapshot_loads_batch on analytics.backfill_snapshot_loads (batch_id);
create sequence analytics.backfill_snapshot_no;

-- A table for a snapshot's rows. Not logged: it lives for minutes, and its rows are counted before they are used.
create function analytics.create_snapshot_table() returns text language plpgsql as $$
declare
  v_table text := 'backfill_snapshot_' || nextval('analytics.backfill_snapshot_no');
begin
  execute format('create unlogged table analytics.%I (like analytics.events_log)', v_table);
  return v_table;
end $$;

create function analytics.drop_snapshot_loads(p_batch_id text) returns void language plpgsql as $$
declare
  v_load record;
begin
  for v_load in delete from analytics.backfill_snapshot_loads where batch_id = p_batch_id returning table_name loop
    execute format('drop table if exists analytics.%I', v_load.table_name);
  end loop;
end $$;

-- The snapshot of the batch's window before it was published, in its current attempt; NULL when there is none.
create function analytics.snapshot_of(p_batch_id text) returns analytics.backfill_publishes language sql stable as $$
  select p from analytics.backfill_publishes p join analytics.backfill_batches b using (batch_id, attempt)
   where p.batch_id = p_batch_id and p.snapshot_path is not null
   order by p.publish_id desc limit 1
$$;

-- Who must not be written: in force now, or when it was written down, whatever a clock that goes back says.
create view analytics.suppressions_in_force as
  select subject_id from analytics.privacy_suppressions where effective_from <= greatest(now(), recorded_at);

-- Writes rows into the stored events, without those of suppressed people: whoever writes there calls this, with new
-- suppressions held back (SHARE on privacy_suppressions) from before the call until the commit.
--
-- p_rows: a query for the columns of an event, batch_id and ingested_at. Returns how many rows were written.
create function analytics.write_events(p_rows text) returns bigint language plpgsql as $$
declare
  v_written bigint;
begin
  execute format('
    insert into analytics.events_log
      (event_id, source, event_name, schema_version, event_ts, session_id, subject_id, payload, batch_id, ingested_at)
    select r.event_id, r.source, r.event_name, r.schema_version, r.event_ts, r.session_id, r.subject_id, r.payload,
           r.batch_id, r.ingested_at
      from (%s) r
     where not exists (select 1 from analytics.suppressions_in_force p where p.subject_id = r.subject_id)
     -- In key order, so that two writers of the same events wait for each other instead of deadlocking.
     order by r.event_id
    on conflict do nothing', p_rows);
  get diagnostics v_written = row_count;
  return v_written;
end $$;

-- Ids of a source sort by time: what comes before this was earlier than the time, what does not was not. Times of events
-- are whole milliseconds.
create function analytics.first_event_id(p_source text, p_from timestamptz) returns text language sql immutable as $$
  select concat_ws(':', p_source, to_char(
    date_trunc('milliseconds', p_from + interval '999 microseconds') at time zone 'UTC', 'YYYYMMDDHH24MISSMS'))
$$;

-- Frees the batch's keys, in one place of the order only when that is given, and counts them and what is left; both NULL
-- when they are in another database, out of reach from here: the services free them then, and complete the proof.
drop function analytics.free_batch_keys(text);
create function analytics.free_batch_keys(
  p_batch_id text, p_first text, p_end text, out freed bigint, out remaining bigint) language plpgsql as $$
begin
  -- Locked, so that the store stays where it is until the transaction ends.
  perform 1 from analytics.backfill_key_store where is_separate for share;
  if found then
    return;
  end if;
  delete from analytics.backfill_event_checkpoint
   where batch_id = p_batch_id and (p_first is null or (event_id >= p_first and event_id < p_end));
  get diagnostics freed = row_count;
  select count(*) into remaining from analytics.backfill_event_checkpoint
   where batch_id = p_batch_id and (p_first is null or (event_id >= p_first and event_id < p_end));
end $$;

-- The age, in transactions, of the oldest one that writes in this database now, the caller's included: what older ones have
-- written is committed or undone. To be called when the caller has written or locked something.
create function analytics.oldest_writer_age() returns integer language sql volatile as $$
  select max(age(w.xid)) from (
    select l.transactionid as xid
      from pg_locks l
      join pg_stat_activity a using (pid)
      join pg_database d on d.oid = a.datid and d.datname = current_database()
     where l.locktype = 'transactionid' and l.mode = 'ExclusiveLock' and l.granted
    union all
    select transaction from pg_prepared_xacts where database = current_database()) w
$$;

-- Others' live rows in source and window: the number and sum of hashes of those that were written by older transactions
-- than p_age, and how many by others. Who changes a row writes it anew, so that the sum tells it whatever column was
-- changed.
create function analytics.fingerprint_others(
  p_batch analytics.backfill_batches, p_age integer, out fingerprint text, out recent bigint)
-- Without statistics of what was just written an index would be taken to have it all in the order of the ids, row by row.
language plpgsql set enable_indexscan to off set enable_bitmapscan to off as $$
declare
  v_source text := p_batch.source;
  v_start timestamptz := p_batch.window_start;
  v_end timestamptz := p_batch.window_end;
begin
  select count(*) filter (where age(l.xmin) > p_age) || ':' ||
         coalesce(sum(hashtextextended(l.event_id, 0)) filter (where age(l.xmin) > p_age), 0),
         count(*) filter (where age(l.xmin) <= p_age)
    into fingerprint, recent
    from analytics.events_log l
   where l.source = v_source and l.event_ts >= v_start and l.event_ts < v_end and l.deleted_at is null
     and l.batch_id is distinct from p_batch.batch_id;
end $$;

-- First step of a rollback: fences off whatever runs for the batch. To be committed before the second step, which
-- waits for what is in flight; importers that kept coming could hold it up for ever otherwise.
drop function analytics.begin_rollback(text);
create function analytics.begin_rollback(p_batch_id text, p_mode text default 'tombstone') returns void
language plpgsql as $$
declare
  v_batch analytics.backfill_batches;
begin
  select * into v_batch from analytics.backfill_batches where batch_id = p_batch_id for no key update;
  if not found then
    raise exception 'unknown batch %', p_batch_id using errcode = 'no_data_found',
      hint = 'SELECT batch_id, status FROM analytics.backfill_batches lists what there is.';
  end if;
  perform set_config('analytics.actor',
                     coalesce(nullif(current_setting('analytics.actor', true), ''), 'sql:' || session_user), true);
  if v_batch.status = 'rolling_back' and coalesce(v_batch.rollback_mode, 'tombstone') <> p_mode then
    update analytics.backfill_batches set rollback_mode = p_mode where batch_id = p_batch_id;
  elsif v_batch.status not in ('rolling_back', 'rolled_back') then
    update analytics.backfill_batches set status = 'rolling_back', status_reason = p_mode, rollback_mode = p_mode
     where batch_id = p_batch_id;
  end if;
end $$;

-- Whose rows may come back out of a snapshot that was read when p_mark was taken. A batch that was taken back since stays
-- so; one with a retention exception that runs keeps what is over age.
create function analytics.restorable_origins(p_mark pg_snapshot)
returns table (batch_id text, is_taken_back boolean, is_excepted boolean) language sql stable as $$
  select b.batch_id,
         not b.rows_live or exists (
           select 1 from analytics.backfill_rollbacks r
            where r.batch_id = b.batch_id and not pg_visible_in_snapshot(r.rolled_back_xid, p_mark)),
         coalesce((p.plan -> 'retentionException' ->> 'until')::timestamptz > now(), false)
    from analytics.backfill_batches b left join analytics.backfill_plans p using (batch_id, attempt, plan_hash)
$$;

-- Brings back what the snapshot has and nobody has live any more; not what was suppressed, expired, or taken back with its
-- own batch since. What is live and not in the snapshot stays. Returns what became of it all, for the proof.
create function analytics.restore_rows(
  p_batch analytics.backfill_batches, p_publish analytics.backfill_publishes) returns jsonb
-- Tables that were just written have no statistics: a nested loop over all rows takes hours, and an index is no way to
-- read all of them either.
language plpgsql set enable_nestloop to off set enable_indexscan to off set enable_bitmapscan to off as $$
declare
  v_table text := (select table_name from analytics.backfill_snapshot_loads where publish_id = p_publish.publish_id);
  v_next text := format('./backfill rollback %s --mode snapshot loads the snapshot and goes on; ./backfill rollback %s '
                        '--mode tombstone takes the batch back without it.', p_batch.batch_id, p_batch.batch_id);
  v_live text := format(
    'select event_id, event_ts, batch_id from analytics.events_log
      where source = %L and event_ts >= %L and event_ts < %L and deleted_at is null and batch_id is distinct from %L',
    p_batch.source, p_batch.window_start, p_batch.window_end, p_batch.batch_id);
  v_origins text := format('analytics.restorable_origins(%L)', p_publish.snapshot_mark);
  v_months integer := (select (plan -> 'policy' -> 'retention' ->> 'event_months')::integer
                         from analytics.backfill_plans
                        where (batch_id, attempt, plan_hash) = (p_batch.batch_id, p_batch.attempt, p_batch.plan_hash));
  v_cutoff timestamptz := coalesce(now() - make_interval(months => v_months), '-infinity');
  v_rows bigint;
  v_restored bigint;
  v_found jsonb;
  v_since jsonb;
  v_examples jsonb;
begin
  if v_table is null then
    raise exception 'the snapshot of batch % is not loaded', p_batch.batch_id
      using errcode = 'object_not_in_prerequisite_state', hint = v_next;
  end if;
  execute format('select count(*) from analytics.%I', v_table) into v_rows;
  if v_rows <> p_publish.snapshot_rows then
    raise exception 'of the snapshot of batch % only % of % rows are loaded', p_batch.batch_id, v_rows, p_publish.snapshot_rows
      using errcode = 'object_not_in_prerequisite_state', hint = v_next;
  end if;

  lock table analytics.privacy_suppressions in share mode;
  v_restored := analytics.write_events(format(
    'select s.* from analytics.%I s
       left join %s o on o.batch_id = s.batch_id
       left join (%s) l on l.event_id = s.event_id and l.event_ts = s.event_ts
      where l.event_id is null and s.batch_id is distinct from %L and o.is_taken_back is not true
        and (s.event_ts >= %L or o.is_excepted)', v_table, v_origins, v_live, p_batch.batch_id, v_cutoff));

  execute format(
    'with compared as (
       select case when s.event_id is null then ''since''
                   when l.event_id is not null then ''live''
                   when s.batch_id = %L then ''own''
                   when o.is_taken_back then ''taken_back''
                   when s.event_ts < %L and o.is_excepted is not true then ''expired''
                   when p.subject_id is not null then ''suppressed''
                   else ''missing'' end as what,
              coalesce(l.batch_id, ''(live)'') as origin
         from analytics.%I s
         full join (%s) l on l.event_id = s.event_id and l.event_ts = s.event_ts
         left join %s o on o.batch_id = s.batch_id
         left join analytics.suppressions_in_force p on p.subject_id = s.subject_id
     ), counted as (select what, case what when ''since'' then origin end as origin, count(*) as rows
                      from compared group by 1, 2)
     select coalesce(jsonb_object_agg(what, rows) filter (where origin is null), ''{}''),
            coalesce(jsonb_object_agg(origin, rows) filter (where origin is not null), ''{}'')
       from counted', p_batch.batch_id, v_cutoff, v_table, v_live, v_origins) into v_found, v_since;
  if v_found ? 'missing' then
    raise exception 'rollback of % would not bring back % rows of the snapshot', p_batch.batch_id, v_found -> 'missing';
  end if;
  if v_since <> '{}' then
    execute format(
      'select jsonb_agg(event_id) from (
         select l.event_id from (%s) l
          where not exists (select 1 from analytics.%I s where s.event_id = l.event_id and s.event_ts = l.event_ts)
          order by l.event_id limit 20) e', v_live, v_table) into v_examples;
  end if;
  return jsonb_build_object(
    'publish_id', p_publish.publish_id, 'path', p_publish.snapshot_path, 'sha256', p_publish.snapshot_sha256,
    'taken_at', p_publish.snapshot_at, 'rows', v_rows,
    'kept', coalesce((v_found ->> 'live')::bigint, 0) - v_restored, 'restored', v_restored,
    'suppressed', coalesce((v_found ->> 'suppressed')::bigint, 0), 'expired', coalesce((v_found ->> 'expired')::bigint, 0),
    'taken_back', coalesce((v_found ->> 'taken_back')::bigint, 0), 'own', coalesce((v_found ->> 'own')::bigint, 0),
    'since', v_since, 'since_examples', coalesce(v_examples, '[]'));
end $$;

-- Holds a batch for its rollback until the transaction ends. Waits for the transactions that hold FOR KEY SHARE on it: parts
-- being imported, a publish under way, of this batch or of another one that takes over what it claims. A weaker lock, held
-- before, would be in the way of that other one when it sends this batch back to its gates. Rollbacks of one source come
-- one after the other, so that each finds the others' rows as it left them.
create function analytics.hold_for_rollback(p_batch_id text) returns analytics.backfill_batches language plpgsql as $$
declare
  v_batch analytics.backfill_batches;
begin
  perform pg_advisory_xact_lock(7403116, hashtext(source)) from analytics.backfill_batches where batch_id = p_batch_id;
  select * into v_batch from analytics.backfill_batches where batch_id = p_batch_id for update;
  return v_batch;
end $$;

-- Second step of a rollback, the same for the services and for psql: tombstones the batch's stored events, brings back
-- what a snapshot has, frees the batch's keys, and proves all of it. One transaction. Safe to repeat: a batch that is
-- already rolled back returns its stored proof.
--
-- p_epoch: of a service's job; NULL is returned when the batch is not the one any more that was to be taken back so.
create function analytics.take_batch_back(p_batch_id text, p_mode text, p_epoch integer default null)
returns analytics.backfill_rollbacks language plpgsql as $$
declare
  v_actor text := coalesce(nullif(current_setting('analytics.actor', true), ''), 'sql:' || session_user);
  v_batch analytics.backfill_batches := analytics.hold_for_rollback(p_batch_id);
  v_publish analytics.backfill_publishes;
  v_age integer;
  v_first text;
  v_end text;
  v_in_window bigint;
  v_proof analytics.backfill_rollbacks;
begin
  if p_epoch is not null
     and (v_batch.epoch <> p_epoch or v_batch.status not in ('rolling_back', 'rolled_back')
          or (v_batch.status = 'rolling_back' and coalesce(v_batch.rollback_mode, 'tombstone') <> p_mode)) then
    return null;
  end if;
  perform analytics.begin_rollback(p_batch_id, p_mode);
  if v_batch.status = 'rolled_back' then
    select * into v_proof from analytics.backfill_rollbacks
     where batch_id = p_batch_id order by rollback_id desc limit 1;
    if p_mode = 'snapshot' and v_proof.mode <> 'snapshot' then
      raise exception 'batch % was rolled back already, by the mode %', p_batch_id, v_proof.mode
        using errcode = 'object_not_in_prerequisite_state',
              hint = format('Nothing of it is live. ./backfill resume %s starts it anew.', p_batch_id);
    end if;
    -- Tombstones may still be wanted for what a rollback of the window has left.
    if p_mode <> 'tombstone' or v_proof.left_outside = 0 then
      return v_proof;
    end if;
    v_proof := null;
  end if;
  perform set_config('analytics.actor', v_actor, true);
  select * into v_batch from analytics.backfill_batches where batch_id = p_batch_id;

  -- Who makes a partition for a day waits, since rows of the day may move into it: they would be new versions.
  lock table only analytics.events_log in row exclusive mode;
  -- Whatever an older transaction wrote is committed or undone by now, so it is the same before and after.
  v_age := analytics.oldest_writer_age();
  select fingerprint into v_proof.others_before from analytics.fingerprint_others(v_batch, v_age);

  -- Events before keys: the order in which imports lock them too.
  if p_mode = 'window' then
    update analytics.events_log set deleted_at = now()
     where batch_id = p_batch_id and deleted_at is null
       and event_ts >= v_batch.window_start and event_ts < v_batch.window_end;
    v_first := analytics.first_event_id(v_batch.source, v_batch.window_start);
    v_end := analytics.first_event_id(v_batch.source, v_batch.window_end);
  else
    update analytics.events_log set deleted_at = now() where batch_id = p_batch_id and deleted_at is null;
  end if;
  get diagnostics v_proof.tombstoned = row_count;
  if p_mode = 'snapshot' then
    v_publish := analytics.snapshot_of(p_batch_id);
    -- Without one nothing of the batch was ever live, and the window is as it was.
    if v_publish.publish_id is not null then
      v_proof.snapshot := analytics.restore_rows(v_batch, v_publish);
    end if;
  end if;
  select freed, remaining into v_proof.keys_freed, v_proof.keys_after
    from analytics.free_batch_keys(p_batch_id, v_first, v_end);

  -- The proof counts anew, in statements that see what was committed since.
  select count(*) filter (where event_ts >= v_batch.window_start and event_ts < v_batch.window_end),
         count(*) filter (where event_ts < v_batch.window_start or event_ts >= v_batch.window_end)
    into v_in_window, v_proof.left_outside
    from analytics.events_log where batch_id = p_batch_id and deleted_at is null;
  v_proof.live_rows_after := v_in_window + case p_mode when 'window' then 0 else v_proof.left_outside end;
  if v_proof.live_rows_after <> 0 or v_proof.keys_after <> 0 then
    raise exception 'rollback of % would leave % live rows and % keys', p_batch_id, v_proof.live_rows_after, v_proof.keys_after;
  end if;
  select fingerprint, recent into v_proof.others_after, v_proof.others_recent
    from analytics.fingerprint_others(v_batch, v_age);
  if v_proof.others_before <> v_proof.others_after then
    raise exception 'while % was rolled back, other rows of its window were changed or taken away: % before, % after',
                    p_batch_id, v_proof.others_before, v_proof.others_after
      using hint = 'Nothing was done. Find out who changes stored events by hand, and repeat.';
  end if;

  update analytics.backfill_batches
     set status = 'rolled_back', status_reason = p_mode, rollback_mode = null, row_count = null, checksum = null,
         canary_passed = null, gate_set_hash = null, rows_digest = null, rows_live = false
   where batch_id = p_batch_id;
  perform analytics.drop_snapshot_loads(p_batch_id);
  -- All but the report of what has been done.
  select count(*) into v_proof.jobs_after from analytics.backfill_outbox where batch_id = p_batch_id and kind <> 'report';
  if v_proof.jobs_after <> 0 then
    raise exception 'rollback of % would leave % jobs', p_batch_id, v_proof.jobs_after;
  end if;
  insert into analytics.backfill_rollbacks
    (batch_id, attempt, mode, actor, tombstoned, keys_freed, live_rows_after, keys_after, left_outside, jobs_after,
     others_before, others_after, others_recent, snapshot)
  values (p_batch_id, v_batch.attempt, p_mode, v_actor, v_proof.tombstoned, v_proof.keys_freed, v_proof.live_rows_after,
          v_proof.keys_after, v_proof.left_outside, v_proof.jobs_after, v_proof.others_before, v_proof.others_after,
          v_proof.others_recent, v_proof.snapshot)
  returning * into v_proof;
  perform analytics.hand_over_to_unpublished(p_batch_id);
  return v_proof;
end $$;

-- All stored events of the batch.
drop function analytics.tombstone_batch(text);
create function analytics.tombstone_batch(p_batch_id text, p_epoch integer default null)
returns analytics.backfill_rollbacks language plpgsql as $$
begin
  return analytics.take_batch_back(p_batch_id, 'tombstone', p_epoch);
end $$;

-- Those in the batch's window only.
create function analytics.revert_window(p_batch_id text, p_epoch integer default null)
returns analytics.backfill_rollbacks language plpgsql as $$
begin
  return analytics.take_batch_back(p_batch_id, 'window', p_epoch);
end $$;

-- All of them, and what was live in the window before comes back: from psql, once a service has loaded the snapshot.
create procedure analytics.restore_snapshot(p_batch_id text, inout proof jsonb default null) language plpgsql as $$
begin
  proof := to_jsonb(analytics.take_batch_back(p_batch_id, 'snapshot'));
end $$;
