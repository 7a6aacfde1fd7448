-- A batch may replace what is live already: a published batch of its source, or the rows of live ingestion in its window.
-- Its publish tombstones them, and its rollback brings back exactly those.

alter table analytics.backfill_batches
  -- Of the request, by a trigger.
  add column replaces_batch_id text collate "C" references analytics.backfill_batches,
  add column replaces_live boolean not null default false,
  -- The published batch whose publish has taken this one's rows out of sight. While there is one, rows_live is false: it
  -- has nothing, inherits nothing, and its keys are claims that others may take over. It cannot be rolled back.
  add column replaced_by text collate "C" references analytics.backfill_batches,
  -- What is to be replaced, as the verification found it: how many rows, the number and sum of hashes of their ids, and when.
  add column replaced_rows bigint,
  add column replaced_fingerprint text,
  add column replaced_at timestamptz,
  add check (replaces_batch_id <> batch_id),
  add check (not (replaces_live and replaces_batch_id is not null));
create index backfill_batches_replaces on analytics.backfill_batches (replaces_batch_id)
  where replaces_batch_id is not null;

create function analytics.note_replaces() returns trigger language plpgsql as $$
begin
  new.replaces_batch_id := new.request -> 'replaces' ->> 'batch_id';
  new.replaces_live := coalesce((new.request -> 'replaces' ->> 'live')::boolean, false);
  return new;
end $$;
create trigger backfill_batches_note_replaces before insert on analytics.backfill_batches
  for each row execute function analytics.note_replaces();

-- What was replaced comes back before what was before it: the last one first.
create function analytics.refuse_rollback_of_replaced() returns trigger language plpgsql as $$
begin
  raise exception 'batch % was replaced by %, and nothing of it is live', old.batch_id, old.replaced_by
    using errcode = 'object_not_in_prerequisite_state',
          hint = format('Roll %s back first: that brings the rows of %s back.', old.replaced_by, old.batch_id);
end $$;
create trigger backfill_batches_refuse_rollback_of_replaced before update of status on analytics.backfill_batches
  for each row when (new.status = 'rolling_back' and old.status <> 'rolling_back' and old.replaced_by is not null)
  execute function analytics.refuse_rollback_of_replaced();
create trigger backfill_batches_record_replaced_by after update of replaced_by on analytics.backfill_batches
  for each row when (new.replaced_by is distinct from old.replaced_by)
  execute function analytics.record_batch_column('replaced_by');

-- Of a tombstone: the batch whose publish put the row out of sight and whose rollback revives it. NULL for whatever was
-- tombstoned for other reasons. Looked for by window, as rollbacks read it anyway: no index.
alter table analytics.events_log add column replaced_by text collate "C";

alter table analytics.backfill_publishes
  -- What the transaction tombstoned, and how much of it had changed since the signatures.
  add column replaced bigint,
  add column replaced_since bigint;

-- What became of what the batch had replaced: {revived, suppressed, expired, live}; NULL where there was nothing.
alter table analytics.backfill_rollbacks add column replaced jsonb;

-- Tombstones what the batch replaces, in the transaction that publishes it, before its rows are written; says how many rows,
-- their number and sum of hashes, and how many of them say of themselves that they came after p_since.
create function analytics.replace_rows(
  p_batch_id text, p_since timestamptz, out replaced bigint, out fingerprint text, out arrived bigint)
-- As in fingerprint_others: the window is read as a whole.
language plpgsql set enable_nestloop to off set enable_indexscan to off set enable_bitmapscan to off as $$
declare
  v_batch analytics.backfill_batches;
  v_target text;
  v_source text;
  v_start timestamptz;
  v_end timestamptz;
begin
  select * into strict v_batch from analytics.backfill_batches where batch_id = p_batch_id;
  v_target := v_batch.replaces_batch_id;
  v_source := v_batch.source;
  v_start := v_batch.window_start;
  v_end := v_batch.window_end;
  with gone as (
    update analytics.events_log e set deleted_at = now(), replaced_by = p_batch_id
     where e.source = v_source and e.event_ts >= v_start and e.event_ts < v_end and e.deleted_at is null
       and e.batch_id is not distinct from v_target
    returning e.event_id, e.ingested_at
  )
  select count(*), count(*) || ':' || coalesce(sum(hashtextextended(event_id, 0)), 0),
         count(*) filter (where ingested_at > p_since)
    into replaced, fingerprint, arrived
    from gone;
end $$;

-- Says who answers for the events of live ingestion that a batch has replaced, in the transaction that publishes it, when it
-- has taken its keys: others that lost one to live ingestion may publish it. No attempt of the batch has it (0).
create function analytics.withdraw_live(p_batch_id text) returns void language plpgsql set enable_nestloop to off as $$
declare
  v_batch analytics.backfill_batches;
begin
  select * into strict v_batch from analytics.backfill_batches where batch_id = p_batch_id;
  -- Mostly nobody lost anything to live ingestion, and the window need not be read.
  if not exists (select 1 from analytics.backfill_losers where winner_batch_id is null) then
    return;
  end if;
  with withdrawn as (
    select l.loser_batch_id, l.event_id
      from analytics.backfill_losers l
      join analytics.events_log e on e.event_id = l.event_id
     where l.winner_batch_id is null and not l.only_withheld and l.loser_batch_id <> p_batch_id
       and e.replaced_by = p_batch_id and e.source = v_batch.source
       and e.event_ts >= v_batch.window_start and e.event_ts < v_batch.window_end
     order by l.event_id, l.loser_batch_id
       for no key update of l
  )
  update analytics.backfill_losers l set winner_batch_id = p_batch_id, winner_attempt = 0
    from withdrawn w where l.loser_batch_id = w.loser_batch_id and l.event_id = w.event_id;
end $$;

-- Lets the gates of these batches run again, where they wait for signatures or were stopped when they did. In SQL, since a
-- rollback from psql does it too.
create function analytics.send_to_gates(p_batches text[], p_reason text) returns void language plpgsql as $$
begin
  perform 1 from analytics.backfill_batches where batch_id = any (p_batches) order by batch_id for no key update;
  update analytics.backfill_batches set status = 'verifying', status_reason = p_reason
   where batch_id = any (p_batches) and status = 'awaiting_publish_approval';
  update analytics.backfill_batches set resume_status = 'verifying'
   where batch_id = any (p_batches) and resume_status in ('awaiting_publish_approval', 'publishing') and not rows_live;
end $$;

-- First half of reviving what a batch has replaced, in the transaction that takes it back, with its row locked: its rows go
-- where the same event comes back, and what it tombstoned is live again. Not what was suppressed or expired since, nor what
-- somebody else has live by now. Returns what became of it; NULL where nothing was replaced.
create function analytics.revive_replaced(p_batch_id text, out outcome jsonb, out same bigint)
language plpgsql set enable_nestloop to off set enable_indexscan to off set enable_bitmapscan to off as $$
declare
  v_batch analytics.backfill_batches;
  v_later record;
  v_months integer;
  v_in_window text;
  v_revivable text;
  v_revived bigint;
  v_left bigint;
begin
  same := 0;
  select * into strict v_batch from analytics.backfill_batches where batch_id = p_batch_id;
  if not v_batch.rows_live or (v_batch.replaces_batch_id is null and not v_batch.replaces_live) then
    return;
  end if;
  -- Who is suppressed from now on is so after the commit, and not missed in between.
  lock table analytics.privacy_suppressions in share mode;
  perform 1 from analytics.backfill_batches where batch_id = v_batch.replaces_batch_id for no key update;

  -- Live rows that a later batch would have replaced, had they been live then, stay replaced by that one.
  for v_later in
    select b.batch_id, b.window_start, b.window_end
      from analytics.backfill_batches b
      join analytics.backfill_batches_metadata m using (batch_id)
      join analytics.backfill_batches_metadata mine on mine.batch_id = p_batch_id
     where b.replaces_live and b.rows_live and b.source = v_batch.source and b.batch_id <> p_batch_id
       and m.applied_at >= mine.applied_at
     order by m.applied_at, b.batch_id
  loop
    with moved as (
      update analytics.events_log e set replaced_by = v_later.batch_id
       where e.replaced_by = p_batch_id and e.batch_id is null and e.source = v_batch.source
         and e.event_ts >= v_batch.window_start and e.event_ts < v_batch.window_end
         and e.event_ts >= v_later.window_start and e.event_ts < v_later.window_end
      returning e.event_id
    )
    update analytics.backfill_losers l set winner_batch_id = v_later.batch_id
      from moved m where l.winner_batch_id = p_batch_id and l.winner_attempt = 0 and l.event_id = m.event_id;
  end loop;

  v_months := (select (plan -> 'policy' -> 'retention' ->> 'event_months')::integer from analytics.backfill_plans
                where (batch_id, attempt, plan_hash) = (p_batch_id, v_batch.attempt, v_batch.plan_hash));
  v_in_window := format('%%1$s.source = %L and %%1$s.event_ts >= %L and %%1$s.event_ts < %L',
                        v_batch.source, v_batch.window_start, v_batch.window_end);
  -- An event may have been replaced twice: live ingestion delivered it again in between.
  v_revivable := format(
    'select distinct on (r.event_id) r.event_id, r.event_ts, r.deleted_at
       from analytics.events_log r
       left join analytics.restorable_origins(pg_current_snapshot()) o on o.batch_id = r.batch_id
       left join analytics.suppressions_in_force s on s.subject_id = r.subject_id
      where r.replaced_by = %L and ' || format(v_in_window, 'r') || '
        and s.subject_id is null and (r.event_ts >= %L or o.is_excepted)
      order by r.event_id, r.deleted_at',
    p_batch_id, coalesce(now() - make_interval(months => v_months), '-infinity'));

  execute format(
    'update analytics.events_log b set deleted_at = now() from (%s) r
      where b.batch_id = %L and b.deleted_at is null and ' || format(v_in_window, 'b') || '
        and b.event_id = r.event_id and b.event_ts = r.event_ts', v_revivable, p_batch_id);
  get diagnostics same = row_count;
  for v_try in 1 .. 5 loop
    begin
      execute format(
        'update analytics.events_log e set deleted_at = null, replaced_by = null from (%s) r
          where e.replaced_by = %L and ' || format(v_in_window, 'e') || '
            and e.event_id = r.event_id and e.event_ts = r.event_ts and e.deleted_at = r.deleted_at
            and not exists (select from analytics.events_log l
                             where l.event_id = r.event_id and l.event_ts = r.event_ts and l.deleted_at is null
                               and ' || format(v_in_window, 'l') || ')',
        v_revivable, p_batch_id);
      get diagnostics v_revived = row_count;
      exit;
    exception when unique_violation then
      -- Somebody delivered one of them meanwhile.
      if v_try = 5 then
        raise;
      end if;
    end;
  end loop;
  execute format(
    'select count(*) from (%s) r
      where not exists (select from analytics.events_log l
                         where l.event_id = r.event_id and l.event_ts = r.event_ts and l.deleted_at is null
                           and ' || format(v_in_window, 'l') || ')', v_revivable)
    into v_left;
  if v_left <> 0 then
    raise exception 'rollback of % would not bring back % rows that it had replaced', p_batch_id, v_left;
  end if;

  -- What a batch has by now that live ingestion had delivered, too: it comes back when that batch goes.
  insert into analytics.backfill_live_losses (event_id, event_ts, schema_version)
  select distinct on (r.event_id) r.event_id, r.event_ts, r.schema_version
    from analytics.events_log r
    join analytics.events_log l on l.event_id = r.event_id and l.event_ts = r.event_ts and l.deleted_at is null
   where r.replaced_by = p_batch_id and r.batch_id is null and r.source = v_batch.source
     and r.event_ts >= v_batch.window_start and r.event_ts < v_batch.window_end
     and l.event_ts >= v_batch.window_start and l.event_ts < v_batch.window_end and l.batch_id <> p_batch_id
   order by r.event_id, r.deleted_at
  on conflict do nothing;
  with rest as (
    update analytics.events_log e set replaced_by = null
     where e.replaced_by = p_batch_id and e.source = v_batch.source
       and e.event_ts >= v_batch.window_start and e.event_ts < v_batch.window_end
    returning e.event_id, e.event_ts, e.subject_id
  ), judged as (
    select case when s.subject_id is not null then 'suppressed' when l.event_id is not null then 'live'
                else 'expired' end as what
      from rest r
      left join analytics.suppressions_in_force s on s.subject_id = r.subject_id
      left join analytics.events_log l
             on l.event_id = r.event_id and l.event_ts = r.event_ts and l.deleted_at is null
            and l.batch_id is distinct from p_batch_id and l.event_ts >= v_batch.window_start and l.event_ts < v_batch.window_end
  )
  select jsonb_build_object('revived', v_revived,
                            'suppressed', count(*) filter (where what = 'suppressed'),
                            'expired', count(*) filter (where what = 'expired'),
                            'live', count(*) filter (where what = 'live'))
    into outcome from judged;
end $$;

-- Forms the numbers of a batch anew that is live again: not all of it needs to have come back. Its parts' books stay.
create function analytics.recount_revived(p_batch_id text) returns void language plpgsql set enable_nestloop to off as $$
declare
  v_batch analytics.backfill_batches;
  v_rows bigint;
  v_fingerprint text;
begin
  select * into strict v_batch from analytics.backfill_batches where batch_id = p_batch_id;
  -- As fingerprintLive has it.
  select count(*),
         count(*) || ':' || coalesce(sum(hash_record_extended(
           row(e.event_id, e.source, e.event_name, e.schema_version, e.event_ts, e.session_id, e.subject_id,
               hashtextextended(e.payload::text, 0)), 0)), 0)
    into v_rows, v_fingerprint
    from analytics.events_log e
   where e.batch_id = p_batch_id and e.deleted_at is null
     and e.event_ts >= v_batch.window_start and e.event_ts < v_batch.window_end;
  update analytics.backfill_batches set row_count = v_rows where batch_id = p_batch_id;
  update analytics.backfill_batches_metadata set checksum = null where batch_id = p_batch_id;
  update analytics.backfill_publishes p
     set published = v_rows, fingerprint = v_fingerprint, checksum = null,
         counted = case when p.counted = p.published then v_rows else p.counted end
   where p.batch_id = p_batch_id and p.attempt = v_batch.attempt and p.outcome = 'published'
     and p.fingerprint is distinct from v_fingerprint;
end $$;

-- Second half, when what others delivered too has been handed over: the books of those that have it again, the keys (with
-- free_batch_keys), and the gates of those that counted on its absence.
create function analytics.settle_revived(p_batch_id text) returns void language plpgsql set enable_nestloop to off as $$
declare
  v_batch analytics.backfill_batches;
  v_attempt integer;
  v_wrong text[];
begin
  select * into strict v_batch from analytics.backfill_batches where batch_id = p_batch_id;
  if not v_batch.rows_live or (v_batch.replaces_batch_id is null and not v_batch.replaces_live) then
    return;
  end if;
  select attempt into v_attempt from analytics.backfill_batches where batch_id = v_batch.replaces_batch_id;
  -- Whoever took a key of it has put it down as a loser: the batch itself, or others while nobody had the event.
  insert into analytics.backfill_handovers (from_batch_id, from_attempt, event_id, to_batch_id, is_suppressed)
  select p_batch_id, v_batch.attempt, e.event_id, e.batch_id, false
    from analytics.backfill_losers l join analytics.events_log e on e.event_id = l.event_id
   where l.loser_batch_id = v_batch.replaces_batch_id and e.batch_id = l.loser_batch_id and e.deleted_at is null
     and e.event_ts >= v_batch.window_start and e.event_ts < v_batch.window_end
  on conflict do nothing;

  -- In the order in which publishes and verifications hold them.
  perform 1 from analytics.backfill_losers
    where winner_batch_id = p_batch_id or loser_batch_id = v_batch.replaces_batch_id
    order by event_id, loser_batch_id for no key update;
  -- Who has it again has not lost it; the others have lost it to who has it.
  delete from analytics.backfill_losers l
   using analytics.events_log e
   where l.loser_batch_id = v_batch.replaces_batch_id and e.event_id = l.event_id
     and e.batch_id = l.loser_batch_id and e.deleted_at is null
     and e.event_ts >= v_batch.window_start and e.event_ts < v_batch.window_end;
  update analytics.backfill_losers l set winner_batch_id = e.batch_id, winner_attempt = v_attempt
    from analytics.events_log e
   where l.winner_batch_id = p_batch_id and e.event_id = l.event_id
     and e.batch_id is not distinct from v_batch.replaces_batch_id and e.deleted_at is null
     and e.event_ts >= v_batch.window_start and e.event_ts < v_batch.window_end;

  -- Its report recounts what has no checksum.
  update analytics.backfill_batches set rows_live = true, replaced_by = null, checksum = null
   where batch_id = v_batch.replaces_batch_id and replaced_by = p_batch_id;
  if found then
    perform analytics.recount_revived(v_batch.replaces_batch_id);
  end if;
  select array_agg(distinct b.batch_id) into v_wrong
    from analytics.backfill_losers l join analytics.backfill_batches b on b.batch_id = l.loser_batch_id
   where l.to_publish and b.batch_id <> p_batch_id
     and l.winner_batch_id is not distinct from v_batch.replaces_batch_id
     and b.replaces_batch_id is distinct from v_batch.replaces_batch_id;
  perform analytics.send_to_gates(v_wrong, format('%s was rolled back, and what it had replaced is live again', p_batch_id));
end $$;

-- Gives keys that a batch which is taken back had from replaced ones back to those, as claims, where nobody has the event
-- after it. With free_batch_keys, after hand_over.
create function analytics.return_claims(p_batch_id text) returns void language plpgsql set enable_nestloop to off as $$
declare
  v_batch analytics.backfill_batches;
begin
  select * into strict v_batch from analytics.backfill_batches where batch_id = p_batch_id;
  if not exists (select 1 from analytics.backfill_losers l join analytics.backfill_batches b on b.batch_id = l.loser_batch_id
                  where l.winner_batch_id = p_batch_id and b.replaced_by is not null) then
    return;
  end if;
  insert into analytics.backfill_handovers (from_batch_id, from_attempt, event_id, to_batch_id, is_suppressed)
  select distinct on (l.event_id) p_batch_id, v_batch.attempt, l.event_id, l.loser_batch_id, false
    from analytics.backfill_losers l
    join analytics.backfill_batches b on b.batch_id = l.loser_batch_id and b.replaced_by is not null
    join analytics.backfill_batches_metadata m on m.batch_id = l.loser_batch_id
    join analytics.events_log e
      on e.event_id = l.event_id and e.batch_id = l.loser_batch_id and e.replaced_by is not null
     and e.event_ts >= v_batch.window_start and e.event_ts < v_batch.window_end
   where l.winner_batch_id = p_batch_id
   order by l.event_id, m.applied_at desc, l.loser_batch_id
  on conflict do nothing;
end $$;

-- As before, but nothing that a batch has replaced, which is out of sight on purpose.
create or replace function analytics.restore_rows(
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
  v_replaced text := format(
    'select distinct event_id, event_ts from analytics.events_log
      where source = %L and event_ts >= %L and event_ts < %L and replaced_by is not null',
    p_batch.source, p_batch.window_start, p_batch.window_end);
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
       left join (%s) g on g.event_id = s.event_id and g.event_ts = s.event_ts
      where l.event_id is null and g.event_id is null and s.batch_id is distinct from %L and o.is_taken_back is not true
        and (s.event_ts >= %L or o.is_excepted)', v_table, v_origins, v_live, v_replaced, p_batch.batch_id, v_cutoff));

  execute format(
    'with compared as (
       select case when s.event_id is null then ''since''
                   when l.event_id is not null then ''live''
                   when s.batch_id = %L then ''own''
                   when g.event_id is not null then ''replaced''
                   when o.is_taken_back then ''taken_back''
                   when s.event_ts < %L and o.is_excepted is not true then ''expired''
                   when p.subject_id is not null then ''suppressed''
                   else ''missing'' end as what,
              coalesce(l.batch_id, ''(live)'') as origin
         from analytics.%I s
         full join (%s) l on l.event_id = s.event_id and l.event_ts = s.event_ts
         left join (%s) g on g.event_id = s.event_id and g.event_ts = s.event_ts
         left join %s o on o.batch_id = s.batch_id
         left join analytics.suppressions_in_force p on p.subject_id = s.subject_id
     ), counted as (select what, case what when ''since'' then origin end as origin, count(*) as rows
                      from compared group by 1, 2)
     select coalesce(jsonb_object_agg(what, rows) filter (where origin is null), ''{}''),
            coalesce(jsonb_object_agg(origin, rows) filter (where origin is not null), ''{}'')
       from counted', p_batch.batch_id, v_cutoff, v_table, v_live, v_replaced, v_origins) into v_found, v_since;
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
    'replaced', coalesce((v_found ->> 'replaced')::bigint, 0),
    'taken_back', coalesce((v_found ->> 'taken_back')::bigint, 0), 'own', coalesce((v_found ->> 'own')::bigint, 0),
    'since', v_since, 'since_examples', coalesce(v_examples, '[]'));
end $$;

-- As before; what the batch had replaced is revived.
create or replace function analytics.take_batch_back(p_batch_id text, p_mode text, p_epoch integer default null)
returns analytics.backfill_rollbacks language plpgsql as $$
declare
  v_actor text := coalesce(nullif(current_setting('analytics.actor', true), ''), 'sql:' || session_user);
  v_batch analytics.backfill_batches := analytics.hold_for_rollback(p_batch_id);
  v_publish analytics.backfill_publishes;
  v_age integer;
  v_first text;
  v_end text;
  v_in_window bigint;
  v_same bigint;
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

  select outcome, same into v_proof.replaced, v_same from analytics.revive_replaced(p_batch_id);
  v_proof.handed_over := analytics.hand_over(p_batch_id);
  perform analytics.settle_revived(p_batch_id);
  perform analytics.return_claims(p_batch_id);
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
  v_proof.tombstoned := v_proof.tombstoned + v_proof.handed_over + v_same;
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
     others_before, others_after, others_recent, snapshot, handed_over, replaced)
  values (p_batch_id, v_batch.attempt, p_mode, v_actor, v_proof.tombstoned, v_proof.keys_freed, v_proof.live_rows_after,
          v_proof.keys_after, v_proof.left_outside, v_proof.jobs_after, v_proof.others_before, v_proof.others_after,
          v_proof.others_recent, v_proof.snapshot, v_proof.handed_over, v_proof.replaced)
  returning * into v_proof;
  perform analytics.hand_over_to_unpublished(p_batch_id);
  perform analytics.send_to_gates(
    array(select batch_id from analytics.backfill_batches where replaces_batch_id = p_batch_id),
    format('%s was rolled back, and nothing of it is left to replace', p_batch_id));
  return v_proof;
end $$;
