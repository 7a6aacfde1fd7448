-- A rollback takes nothing from readers that somebody else delivered too: live ingestion first, then batches that are
-- published, in the order of their publishes. What is left goes to those that are not published, by their gates.

-- Deliveries of live ingestion that found a batch before them, or maybe one whose publish was under way.
create table analytics.backfill_live_losses (
  event_id text collate "C" primary key,
  event_ts timestamptz(3) not null,
  schema_version text not null,
  delivered_at timestamptz not null default now()
);

-- For whoever may insert, whatever else they may do.
create function analytics.note_live_loss() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
  insert into analytics.backfill_live_losses (event_id, event_ts, schema_version)
  select new.event_id, new.event_ts, new.schema_version
   where exists (select 1 from analytics.events_log l
                  where l.event_id = new.event_id and l.event_ts = new.event_ts
                    and l.deleted_at is null and l.batch_id is not null)
      -- Its rows may be committed while the insert that comes after this waits for them.
      or exists (select 1 from analytics.backfill_publishes p join analytics.backfill_batches b using (batch_id)
                  where p.outcome is null and b.source = new.source
                    and new.event_ts >= b.window_start and new.event_ts < b.window_end)
  on conflict do nothing;
  return new;
end $$;
create trigger events_log_note_live_loss before insert on analytics.events_log
  for each row when (new.batch_id is null and new.deleted_at is null) execute function analytics.note_live_loss();

-- What a rollback handed over, or would have if the person were not suppressed.
create table analytics.backfill_handovers (
  from_batch_id text collate "C" not null references analytics.backfill_batches,
  from_attempt integer not null,
  event_id text collate "C" not null,
  -- NULL: live ingestion has it.
  to_batch_id text collate "C" references analytics.backfill_batches,
  is_suppressed boolean not null,
  handed_over_at timestamptz not null default now(),
  primary key (from_batch_id, from_attempt, event_id)
);
create index backfill_handovers_heir on analytics.backfill_handovers (to_batch_id);
create trigger backfill_handovers_append_only before update or delete on analytics.backfill_handovers
  for each row execute function analytics.refuse_change();

-- Books what a published batch has got from another one in the parts that it delivered it with: by its staged rows, or,
-- once these are purged, by its lineage. Its checksum is formed anew before its next report, which is due.
--
-- Without nested loops, as hand_over: what was written a moment ago has no statistics, and is taken for one row.
create function analytics.book_handover(p_from text, p_attempt integer, p_heir text) returns void
language plpgsql set enable_nestloop to off as $$
declare
  v_events bigint;
begin
  with handed as (
    select event_id from analytics.backfill_handovers
     where from_batch_id = p_from and from_attempt = p_attempt and to_batch_id = p_heir and not is_suppressed
  ), staged as (
    select distinct on (s.event_id) s.event_id, s.part_id, s.duplicate_kind
      from handed h join analytics.events_backfill_staging s on s.batch_id = p_heir and s.event_id = h.event_id
     where s.duplicate_kind is distinct from 'same_batch'
     order by s.event_id, s.is_duplicate, s.part_id, s.schema_version
  ), traced as (
    select distinct on (l.event_id) l.event_id, p.part_id,
           case when p.duplicate_other_batch = 0 and p.duplicate_live > 0 then 'live' end as duplicate_kind
      from handed h
      join analytics.backfill_lineage l on l.batch_id = p_heir and l.event_id = h.event_id
      join analytics.backfill_files f on f.batch_id = l.batch_id and f.source_file = l.source_file
      join analytics.backfill_import_parts p
        on p.batch_id = l.batch_id and p.file_no = f.file_no
       and l.line_no >= p.first_line and l.line_no < p.first_line + p.line_count
     where not exists (select 1 from staged s where s.event_id = h.event_id)
     order by l.event_id, p.duplicate_other_batch + p.duplicate_live = 0, p.part_id
  ), per_part as (
    select part_id, count(*) as events, count(*) filter (where duplicate_kind = 'live') as from_live
      from (select * from staged union all select * from traced) as delivered
     group by part_id
  )
  update analytics.backfill_import_parts p
     set inserted = p.inserted + c.events,
         duplicate_live = p.duplicate_live - c.from_live,
         -- What was new at the import was booked so when it was lost.
         duplicate_other_batch = p.duplicate_other_batch - (c.events - c.from_live)
    from per_part c where p.part_id = c.part_id;

  select count(*) into v_events from analytics.backfill_handovers
   where from_batch_id = p_from and from_attempt = p_attempt and to_batch_id = p_heir and not is_suppressed;
  update analytics.backfill_batches set row_count = row_count + v_events, checksum = null where batch_id = p_heir;
  update analytics.backfill_batches_metadata set checksum = null where batch_id = p_heir;
  -- Between its rows and their count: they are counted with what came to them. As fingerprintLive has it.
  update analytics.backfill_publishes p
     set published = p.published + f.rows, checksum = null,
         fingerprint = (split_part(p.fingerprint, ':', 1)::bigint + f.rows) || ':' ||
                       (split_part(p.fingerprint, ':', 2)::numeric + f.hashes)
    from (select count(*) as rows,
                 coalesce(sum(hash_record_extended(
                   row(e.event_id, e.source, e.event_name, e.schema_version, e.event_ts, e.session_id, e.subject_id,
                       hashtextextended(e.payload::text, 0)), 0)), 0) as hashes
            from analytics.backfill_handovers h
            join analytics.backfill_batches b on b.batch_id = p_from
            join analytics.events_log e
              on e.event_id = h.event_id and e.batch_id = p_heir and e.deleted_at is null
             and e.event_ts >= b.window_start and e.event_ts < b.window_end
           where h.from_batch_id = p_from and h.from_attempt = p_attempt and h.to_batch_id = p_heir
             and not h.is_suppressed) f
   where p.batch_id = p_heir and p.outcome is null and p.step = 'count';
  perform analytics.record_audit(p_heir, 'rehomed', jsonb_build_object('from', p_from, 'events', v_events));
end $$;

-- Hands over what is live of a batch that is being taken back and that others delivered too; its own rows stay as
-- tombstones. In the transaction that tombstones the rest, before it, with the batch's row locked. Returns how many.
create function analytics.hand_over(p_batch_id text) returns bigint language plpgsql set enable_nestloop to off as $$
declare
  v_batch analytics.backfill_batches;
  v_heir text;
  v_rows bigint;
begin
  select * into v_batch from analytics.backfill_batches where batch_id = p_batch_id;
  if not v_batch.rows_live
     or not exists (select 1 from analytics.backfill_losers where winner_batch_id = p_batch_id)
        and not exists (select 1 from analytics.backfill_live_losses
                         where event_ts >= v_batch.window_start and event_ts < v_batch.window_end) then
    return 0;
  end if;
  -- Who is suppressed from now on is so after the commit, and not missed in between.
  lock table analytics.privacy_suppressions in share mode;
  -- Keeps heirs from being taken back meanwhile.
  perform 1 from analytics.backfill_batches
    where rows_live and batch_id in (select loser_batch_id from analytics.backfill_losers where winner_batch_id = p_batch_id)
    order by batch_id for no key update;

  insert into analytics.backfill_handovers (from_batch_id, from_attempt, event_id, to_batch_id, is_suppressed)
  select distinct on (d.event_id) p_batch_id, v_batch.attempt, d.event_id, d.batch_id,
         -- An event may be nobody's.
         coalesce(e.subject_id in (select subject_id from analytics.suppressions_in_force), false)
    from (select l.event_id, null as batch_id, null::timestamptz as published_at
            from analytics.backfill_live_losses l
           where l.event_ts >= v_batch.window_start and l.event_ts < v_batch.window_end
           union all
          select l.event_id, l.loser_batch_id, m.applied_at
            from analytics.backfill_losers l
            join analytics.backfill_batches h on h.batch_id = l.loser_batch_id and h.rows_live
            join analytics.backfill_batches_metadata m on m.batch_id = l.loser_batch_id
           where l.winner_batch_id = p_batch_id and l.winner_attempt = v_batch.attempt and not l.withheld) d
    join analytics.events_log e
      on e.event_id = d.event_id and e.deleted_at is null and e.batch_id = p_batch_id
     and e.event_ts >= v_batch.window_start and e.event_ts < v_batch.window_end
   order by d.event_id, d.batch_id is not null, d.published_at, d.batch_id;
  if not found then
    return 0;
  end if;

  -- The row is the same whoever delivered it: its id is the hash of it. Only the version of the schema may be another.
  with versions as materialized (
    select b.batch_id, t.key as event_name, t.value ->> 'version' as version
      from analytics.backfill_batches b
      join analytics.backfill_plans p using (batch_id, attempt, plan_hash)
     cross join lateral jsonb_each(p.plan #> '{recipe,taxonomy}') t
     where b.batch_id in (select to_batch_id from analytics.backfill_handovers
                           where from_batch_id = p_batch_id and from_attempt = v_batch.attempt)
  )
  update analytics.events_log e
     set batch_id = h.to_batch_id,
         schema_version = coalesce(
           l.schema_version,
           (select v.version from versions v where v.batch_id = h.to_batch_id and v.event_name = e.event_name),
           e.schema_version)
    from analytics.backfill_handovers h
    left join analytics.backfill_live_losses l on h.to_batch_id is null and l.event_id = h.event_id
   where h.from_batch_id = p_batch_id and h.from_attempt = v_batch.attempt and not h.is_suppressed
     and e.event_id = h.event_id and e.deleted_at is null and e.batch_id = p_batch_id
     and e.event_ts >= v_batch.window_start and e.event_ts < v_batch.window_end;

  insert into analytics.events_log
    (event_id, source, event_name, schema_version, event_ts, session_id, subject_id, payload, batch_id, deleted_at, ingested_at)
  select e.event_id, e.source, e.event_name, e.schema_version, e.event_ts, e.session_id, e.subject_id, e.payload,
         p_batch_id, now(), e.ingested_at
    from analytics.backfill_handovers h
    join analytics.events_log e
      on e.event_id = h.event_id and e.deleted_at is null and e.batch_id is not distinct from h.to_batch_id
     and e.event_ts >= v_batch.window_start and e.event_ts < v_batch.window_end
   where h.from_batch_id = p_batch_id and h.from_attempt = v_batch.attempt and not h.is_suppressed;
  get diagnostics v_rows = row_count;

  delete from analytics.backfill_live_losses l using analytics.backfill_handovers h
   where h.from_batch_id = p_batch_id and h.from_attempt = v_batch.attempt and h.to_batch_id is null
     and l.event_id = h.event_id;
  -- In the order in which publishes and verifications hold them.
  perform 1 from analytics.backfill_losers where winner_batch_id = p_batch_id
    order by event_id, loser_batch_id for no key update;
  -- Who has got it has not lost it; the others have lost it to who has got it.
  delete from analytics.backfill_losers l using analytics.backfill_handovers h
   where h.from_batch_id = p_batch_id and h.from_attempt = v_batch.attempt and not h.is_suppressed
     and l.loser_batch_id = h.to_batch_id and l.event_id = h.event_id;
  update analytics.backfill_losers l set winner_batch_id = h.to_batch_id, winner_attempt = b.attempt
    from analytics.backfill_handovers h left join analytics.backfill_batches b on b.batch_id = h.to_batch_id
   where h.from_batch_id = p_batch_id and h.from_attempt = v_batch.attempt and not h.is_suppressed
     and l.winner_batch_id = p_batch_id and l.event_id = h.event_id;

  for v_heir in
    select distinct to_batch_id from analytics.backfill_handovers
     where from_batch_id = p_batch_id and from_attempt = v_batch.attempt and not is_suppressed and to_batch_id is not null
     order by 1
  loop
    perform analytics.book_handover(p_batch_id, v_batch.attempt, v_heir);
  end loop;
  return v_rows;
end $$;

-- Of what was tombstoned: what is live all the same, of those who delivered it too.
alter table analytics.backfill_rollbacks add column handed_over bigint not null default 0;

-- As before; the keys of what was handed over go with it.
create or replace function analytics.free_batch_keys(
  p_batch_id text, p_first text, p_end text, out freed bigint, out remaining bigint) language plpgsql set enable_nestloop to off as $$
begin
  -- Locked, so that the store stays where it is until the transaction ends.
  perform 1 from analytics.backfill_key_store where is_separate for share;
  if found then
    return;
  end if;
  update analytics.backfill_event_checkpoint k set batch_id = h.to_batch_id, part_id = null
    from analytics.backfill_handovers h
    join analytics.backfill_batches b on b.batch_id = h.from_batch_id and b.attempt = h.from_attempt
   where h.from_batch_id = p_batch_id and h.to_batch_id is not null and not h.is_suppressed
     and k.event_id = h.event_id and k.batch_id = p_batch_id;
  delete from analytics.backfill_event_checkpoint
   where batch_id = p_batch_id and (p_first is null or (event_id >= p_first and event_id < p_end));
  get diagnostics freed = row_count;
  select count(*) into remaining from analytics.backfill_event_checkpoint
   where batch_id = p_batch_id and (p_first is null or (event_id >= p_first and event_id < p_end));
end $$;

-- As before; what others delivered too is handed over.
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

  v_proof.handed_over := analytics.hand_over(p_batch_id);
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
  v_proof.tombstoned := v_proof.tombstoned + v_proof.handed_over;
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
     others_before, others_after, others_recent, snapshot, handed_over)
  values (p_batch_id, v_batch.attempt, p_mode, v_actor, v_proof.tombstoned, v_proof.keys_freed, v_proof.live_rows_after,
          v_proof.keys_after, v_proof.left_outside, v_proof.jobs_after, v_proof.others_before, v_proof.others_after,
          v_proof.others_recent, v_proof.snapshot, v_proof.handed_over)
  returning * into v_proof;
  perform analytics.hand_over_to_unpublished(p_batch_id);
  return v_proof;
end $$;
