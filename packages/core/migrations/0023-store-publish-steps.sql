-- What stands between a signature and readers: the steps of a publish, the freeze of its window, incidents and who closed
-- them, conflicts that were escalated, rehearsals.

-- True from the transaction that makes a batch's rows live until a rollback. A batch is 'published' when its live rows were
-- counted, too; whoever asks who has an event asks this.
alter table analytics.backfill_batches add column rows_live boolean not null default false;
select set_config('analytics.actor', 'migration', true);
update analytics.backfill_batches set rows_live = true where status = 'published';
select set_config('analytics.actor', '', true);

-- One publish of a batch, from the go to its end: what is done of it, so that whoever comes after a crash goes on there.
create table analytics.backfill_publishes (
  publish_id bigint generated always as identity primary key,
  batch_id text collate "C" not null references analytics.backfill_batches,
  attempt integer not null,
  -- What was signed.
  gate_set_hash text,
  -- What is to be done next: the snapshot of the window, the rows (days and transaction), the count of what is live.
  step text not null default 'snapshot' check (step in ('snapshot', 'rows', 'count', 'done')),
  -- 'sent_back': more had changed since the signatures than the policy allows. 'miscounted': taken back by itself.
  outcome text check (outcome in ('published', 'sent_back', 'miscounted', 'taken_back')),
  -- The go, and until when readers must see the rows.
  go_by text not null,
  go_at timestamptz not null default clock_timestamp(),
  visible_due timestamptz not null default clock_timestamp() + interval '30 minutes',
  -- The live rows of source and window before the publish.
  snapshot_path text,
  -- Of the object as it is stored.
  snapshot_sha256 text,
  snapshot_bytes bigint,
  snapshot_rows bigint,
  -- pg_current_snapshot() from just before it: what was committed by then is in it.
  snapshot_mark text,
  snapshot_at timestamptz,
  -- What the transaction made live, and what it left out of what was signed.
  published bigint,
  taken_over bigint,
  newly_suppressed bigint,
  newly_live bigint,
  -- Known as suppressed when the batch was verified, so not part of what was signed.
  withheld bigint,
  -- Number and sum of hashes of the batch's live event ids, as the transaction left them.
  fingerprint text,
  visible_at timestamptz,
  visible_seconds double precision,
  counted bigint,
  counted_at timestamptz,
  ended_at timestamptz
);
create unique index backfill_publishes_open on analytics.backfill_publishes (batch_id) where outcome is null;
create index backfill_publishes_batch on analytics.backfill_publishes (batch_id, publish_id);

alter table analytics.backfill_batches_metadata add column snapshot_checksum text;

-- A freeze that holds on although its batch was taken back: until its incident is closed.
alter table analytics.backfill_freezes
  add column extended_at timestamptz,
  add column held_by bigint references analytics.backfill_incidents;
alter table analytics.backfill_incidents
  add column closed_by text,
  add column note text,
  add constraint backfill_incidents_closed check ((closed_at is null) = (closed_by is null));

-- The window is frozen from the last run approval until what was published is counted, or the batch is taken back. What
-- goes wrong in between extends the freeze.
create function analytics.follow_with_freeze(p_batch_id text, p_status text, p_reason text) returns void
language plpgsql as $$
declare
  v_reason text := case
    when p_status in ('gates_failed', 'halted', 'failed')
    then 'extended: ' || replace(p_status, '_', ' ') || coalesce(' (' || p_reason || ')', '')
    else 'backfill in progress' end;
begin
  if p_status = 'preparing' then
    insert into analytics.backfill_freezes (batch_id, window_start, window_end, reason)
    select batch_id, window_start, window_end, v_reason from analytics.backfill_batches where batch_id = p_batch_id
    on conflict do nothing;
  end if;
  if p_status in ('published', 'rolled_back') then
    update analytics.backfill_freezes f set lifted_at = now()
     where f.batch_id = p_batch_id and f.lifted_at is null
       and (p_status = 'published' or not exists (
             select 1 from analytics.backfill_incidents i where i.incident_id = f.held_by and i.closed_at is null));
  elsif p_status <> 'rolling_back' then
    update analytics.backfill_freezes
       set reason = v_reason,
           extended_at = case when v_reason like 'extended:%' then clock_timestamp() else extended_at end
     where batch_id = p_batch_id and lifted_at is null and held_by is null and reason <> v_reason;
  end if;
end $$;

-- The go begins a publish, and whatever ends it says how.
create function analytics.follow_with_publish(p_batch_id text, p_status text) returns void language plpgsql as $$
begin
  if p_status = 'publishing' then
    insert into analytics.backfill_publishes (batch_id, attempt, gate_set_hash, go_by)
    select batch_id, attempt, gate_set_hash,
           coalesce(nullif(current_setting('analytics.actor', true), ''), 'sql:' || session_user)
      from analytics.backfill_batches where batch_id = p_batch_id
    on conflict do nothing;
  elsif p_status in ('published', 'verifying', 'rolling_back') then
    update analytics.backfill_publishes
       set outcome = case p_status when 'published' then 'published' when 'verifying' then 'sent_back' else 'taken_back' end,
           step = case p_status when 'published' then 'done' else step end, ended_at = clock_timestamp()
     where batch_id = p_batch_id and outcome is null;
  end if;
end $$;

-- As before, with freeze and publish in functions of their own.
create or replace function analytics.record_batch_status() returns trigger language plpgsql as $$
begin
  if new.status = old.status then
    return null;
  end if;
  -- Work of the status that was left is void; a stop voids all of it. Import parts wait through the canary.
  delete from analytics.backfill_outbox
   where batch_id = new.batch_id
     and (new.epoch <> old.epoch
          or not (new.status = any (when_status) or (new.status = 'canary' and kind = 'import')));
  -- Open work gets new job ids: Redis may still hold a failed or a running job under the old ones.
  if old.status in ('halted', 'failed') and new.status <> 'rolling_back' then
    update analytics.backfill_raw_chunks set epoch = new.epoch where batch_id = new.batch_id and state = 'open';
    update analytics.backfill_import_parts set epoch = new.epoch where batch_id = new.batch_id and state = 'ready';
  end if;
  perform analytics.follow_with_freeze(new.batch_id, new.status, new.status_reason);
  perform analytics.follow_with_publish(new.batch_id, new.status);
  insert into analytics.backfill_audit_log (actor, batch_id, action, detail)
  values (coalesce(nullif(current_setting('analytics.actor', true), ''), 'sql:' || session_user), new.batch_id, 'status',
          jsonb_build_object('from', old.status, 'to', new.status, 'reason', new.status_reason,
                             'epoch', new.epoch, 'attempt', new.attempt));
  return null;
end $$;


-- Whoever closes an incident, lifts the freeze that it holds, unless the batch goes on under it.
create function analytics.lift_with_incident() returns trigger language plpgsql as $$
begin
  update analytics.backfill_freezes f
     set lifted_at = case when b.status = 'rolled_back' then now() end, held_by = null
    from analytics.backfill_batches b
   where f.held_by = new.incident_id and f.lifted_at is null and b.batch_id = f.batch_id;
  return null;
end $$;
create trigger backfill_incidents_lift after update of closed_at on analytics.backfill_incidents
  for each row when (old.closed_at is null and new.closed_at is not null) execute function analytics.lift_with_incident();

-- When a suppression was written down. One that was in force then stays in force, whatever a clock that goes back says.
alter table analytics.privacy_suppressions add column recorded_at timestamptz not null default clock_timestamp();
create function analytics.note_suppression_time() returns trigger language plpgsql as $$
begin
  new.recorded_at := clock_timestamp();
  return new;
end $$;
create trigger privacy_suppressions_note_time before insert or update on analytics.privacy_suppressions
  for each row execute function analytics.note_suppression_time();

-- The log can never forget, so it says how many, and not who.
create function analytics.record_suppressions() returns trigger language plpgsql as $$
declare
  v_rows bigint;
begin
  select count(*) into v_rows from changed;
  if v_rows > 0 then
    perform analytics.record_audit(null, 'suppressions', jsonb_build_object('change', lower(tg_op), 'subjects', v_rows));
  end if;
  return null;
end $$;
create trigger privacy_suppressions_record_insert after insert on analytics.privacy_suppressions
  referencing new table as changed for each statement execute function analytics.record_suppressions();
create trigger privacy_suppressions_record_update after update on analytics.privacy_suppressions
  referencing new table as changed for each statement execute function analytics.record_suppressions();
create trigger privacy_suppressions_record_delete after delete on analytics.privacy_suppressions
  referencing old table as changed for each statement execute function analytics.record_suppressions();

-- Who may do what, without anything that a token could be found by.
create function analytics.record_token() returns trigger language plpgsql as $$
begin
  perform analytics.record_audit(null, case tg_op when 'INSERT' then 'token' else 'token_changed' end,
    to_jsonb(new) - 'token_sha256' - 'created_at');
  return null;
end $$;
create trigger backfill_api_tokens_record after insert on analytics.backfill_api_tokens
  for each row execute function analytics.record_token();
create trigger backfill_api_tokens_record_change after update on analytics.backfill_api_tokens
  for each row when (old is distinct from new) execute function analytics.record_token();

create trigger backfill_publishes_record after insert on analytics.backfill_publishes
  for each row execute function analytics.record_row('publish');
create trigger backfill_publishes_record_change after update on analytics.backfill_publishes
  for each row when (old is distinct from new) execute function analytics.record_row('publish_step');

-- A conflict that somebody brought before those who decide, and what they decided. Neither changes anything else.
create table analytics.backfill_escalations (
  batch_id text collate "C" not null references analytics.backfill_batches,
  escalation_no integer not null,
  attempt integer not null,
  -- What it is about: the status of the batch then, or 'rejected'; and the reason that stood there.
  about text not null,
  status_reason text,
  raised_by text not null,
  why text not null,
  raised_at timestamptz not null default clock_timestamp(),
  primary key (batch_id, escalation_no)
);
create table analytics.backfill_escalation_decisions (
  batch_id text collate "C" not null,
  escalation_no integer not null,
  role text not null,
  decided_by text not null,
  decision text not null,
  why text not null,
  decided_at timestamptz not null default clock_timestamp(),
  primary key (batch_id, escalation_no),
  foreign key (batch_id, escalation_no) references analytics.backfill_escalations
);
-- A run of the same recipe elsewhere, which went well.
create table analytics.backfill_rehearsals (
  rehearsal_id bigint generated always as identity primary key,
  batch_id text collate "C" not null references analytics.backfill_batches,
  attempt integer not null,
  recipe_hash text not null,
  -- Of the report's bytes, which are kept in the archive.
  report_sha256 text not null,
  report_path text not null,
  -- What the report says about itself.
  rehearsed_batch_id text not null,
  rehearsed_gate_set_hash text not null,
  recorded_by text not null,
  recorded_at timestamptz not null default clock_timestamp(),
  unique (batch_id, recipe_hash, report_sha256)
);
create trigger backfill_escalations_append_only before update or delete on analytics.backfill_escalations
  for each row execute function analytics.refuse_change();
create trigger backfill_escalation_decisions_append_only before update or delete on analytics.backfill_escalation_decisions
  for each row execute function analytics.refuse_change();
create trigger backfill_rehearsals_append_only before update or delete on analytics.backfill_rehearsals
  for each row execute function analytics.refuse_change();
create trigger backfill_escalations_record after insert on analytics.backfill_escalations
  for each row execute function analytics.record_row('escalation');
create trigger backfill_escalation_decisions_record after insert on analytics.backfill_escalation_decisions
  for each row execute function analytics.record_row('escalation_decision');
create trigger backfill_rehearsals_record after insert on analytics.backfill_rehearsals
  for each row execute function analytics.record_row('rehearsal');

-- A record of an event that its batch does not publish because the person was suppressed when it was verified, whoever
-- else has it.
alter table analytics.backfill_losers
  add column withheld boolean not null default false,
  -- There is no other reason for the record: it goes when the suppression does.
  add column only_withheld boolean not null default false;

-- As before; what the verification has withheld is booked as suppressed.
create or replace function analytics.publish_batch_rows(
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
                      where p.subject_id = s.subject_id and p.effective_from <= greatest(now(), p.recorded_at))
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


-- Takes out of what a publish has just written the events of people who were suppressed meanwhile: its insert does not see
-- what is committed while it waits. To be called under a lock on the suppressions, before the commit; returns how many.
create function analytics.unpublish_suppressed(p_batch_id text) returns bigint language plpgsql as $$
declare
  v_batch analytics.backfill_batches;
  v_rows bigint;
begin
  select * into v_batch from analytics.backfill_batches where batch_id = p_batch_id;
  with gone as (
    delete from analytics.events_log l
     using analytics.privacy_suppressions p
     where l.batch_id = p_batch_id and l.deleted_at is null
       and l.event_ts >= v_batch.window_start and l.event_ts < v_batch.window_end
       and p.subject_id = l.subject_id and p.effective_from <= greatest(now(), p.recorded_at)
    returning l.event_id
  ), staged as (
    select distinct on (s.event_id) s.part_id, s.duplicate_kind
      from gone g join analytics.events_backfill_staging s on s.batch_id = p_batch_id and s.event_id = g.event_id
     where s.duplicate_kind is distinct from 'same_batch'
     order by s.event_id, s.is_duplicate, s.part_id, s.schema_version
  ), per_part as (
    select part_id, count(*) as rows, count(*) filter (where duplicate_kind is null) as own,
           count(*) filter (where duplicate_kind = 'other_batch') as other_batch,
           count(*) filter (where duplicate_kind = 'live') as live
      from staged group by part_id
  ), given_up as (
    update analytics.backfill_losers l set to_publish = false
      from gone g where l.loser_batch_id = p_batch_id and l.event_id = g.event_id and l.to_publish
  ), booked as (
    update analytics.backfill_import_parts p
       set inserted = p.inserted - c.rows, event_count = p.event_count - c.own,
           suppressed = p.suppressed + c.own, suppressed_at_publish = p.suppressed_at_publish + c.own,
           duplicate_other_batch = p.duplicate_other_batch + c.other_batch, duplicate_live = p.duplicate_live + c.live
      from per_part c where p.part_id = c.part_id
  )
  select count(*) into v_rows from gone;
  return v_rows;
end $$;

-- As before, but for batches whose rows are live already: they are not measured again.
create or replace function analytics.hand_over_to_unpublished(p_batch_id text) returns void language plpgsql as $$
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
   where batch_id = any (v_heirs) and resume_status in ('awaiting_publish_approval', 'publishing') and not rows_live;
end $$;

-- As before; what was live is not any more.
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
         gate_set_hash = null, rows_digest = null, rows_live = false
   where batch_id = p_batch_id;
  perform analytics.hand_over_to_unpublished(p_batch_id);
  return v_proof;
end $$;
