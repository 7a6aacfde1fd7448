-- What goes because its time is over: who asked for a look, what was deleted and why, and how far was looked.

-- One look at everything that has a time limit. A row that has not ended is work that somebody still has to do.
create table analytics.backfill_retention_runs (
  run_id bigint generated always as identity primary key,
  -- 'schedule', or who asked.
  requested_by text not null,
  requested_at timestamptz not null default clock_timestamp(),
  begun_at timestamptz,
  ended_at timestamptz,
  -- 'incomplete': the problems say what was left, and why. The next run tries again.
  outcome text check (outcome in ('complete', 'incomplete')),
  problems jsonb not null default '[]',
  -- Objects of the raw bucket that are past their limit. They are not this system's to delete.
  over_age jsonb,
  check ((ended_at is null) = (outcome is null))
);
create index backfill_retention_runs_open on analytics.backfill_retention_runs (run_id) where ended_at is null;
create index backfill_retention_runs_ended on analytics.backfill_retention_runs (ended_at) where ended_at is not null;

create function analytics.record_retention_request() returns trigger language plpgsql as $$
begin
  perform analytics.record_audit(null, 'retention_request', jsonb_build_object('run_id', new.run_id), new.requested_by);
  return null;
end $$;
create trigger backfill_retention_runs_record after insert on analytics.backfill_retention_runs
  for each row when (new.requested_by <> 'schedule') execute function analytics.record_retention_request();
create trigger backfill_retention_runs_wake_dispatcher after insert on analytics.backfill_retention_runs
  for each statement execute function analytics.wake_dispatcher();

-- Receipts. What goes in one transaction has its receipt in it. What cannot (objects, keys in another database, many
-- rows) is announced first, and completed when nothing of it is left: a receipt without completed_at is a deletion under
-- way, or one that a crash has cut off and the next run ends.
create table analytics.backfill_deletions (
  deletion_id bigint generated always as identity primary key,
  run_id bigint references analytics.backfill_retention_runs,
  kind text not null check (kind in ('staging', 'archive', 'snapshots', 'events', 'keys', 'records')),
  -- A table, a place in the archive, a source's keys. Never the name of a file or of an event.
  what text not null,
  batch_id text collate "C" references analytics.backfill_batches,
  attempt integer,
  -- The setting of the policy, as it was.
  rule text not null,
  -- What was from before this moment was past its time.
  cut_off timestamptz not null,
  rows bigint not null default 0,
  objects bigint not null default 0,
  bytes bigint not null default 0,
  detail jsonb not null default '{}',
  actor text not null default coalesce(nullif(current_setting('analytics.actor', true), ''), 'sql:' || session_user),
  begun_at timestamptz not null default clock_timestamp(),
  completed_at timestamptz
);
create unique index backfill_deletions_open on analytics.backfill_deletions (kind, what) where completed_at is null;
create index backfill_deletions_batch on analytics.backfill_deletions (batch_id, kind) where batch_id is not null;
create index backfill_deletions_run on analytics.backfill_deletions (run_id);

create function analytics.guard_deletion() returns trigger language plpgsql as $$
declare
  v_counted constant text[] := array['rows', 'objects', 'bytes', 'detail', 'completed_at'];
begin
  if tg_op = 'UPDATE' and old.completed_at is null and to_jsonb(new) - v_counted = to_jsonb(old) - v_counted
     and new.rows >= old.rows and new.objects >= old.objects and new.bytes >= old.bytes then
    return new;
  end if;
  raise exception '% is append-only', tg_table_name
    using errcode = 'restrict_violation', hint = 'A receipt is announced, counts up, and is completed once.';
end $$;
create trigger backfill_deletions_append_only before update or delete on analytics.backfill_deletions
  for each row execute function analytics.guard_deletion();
create trigger backfill_deletions_no_truncate before truncate on analytics.backfill_deletions
  for each statement execute function analytics.refuse_change();
create trigger backfill_deletions_record_announced after insert on analytics.backfill_deletions
  for each row when (new.completed_at is null) execute function analytics.record_row('deletion_announced');
create trigger backfill_deletions_record after insert on analytics.backfill_deletions
  for each row when (new.completed_at is not null) execute function analytics.record_row('deletion');
create trigger backfill_deletions_record_completed after update on analytics.backfill_deletions
  for each row when (old.completed_at is null and new.completed_at is not null)
  execute function analytics.record_row('deletion');

-- How far a thing was looked through, so that what is kept is not read through with every run.
create table analytics.backfill_retention_marks (
  kind text not null,
  what text not null,
  cut_off timestamptz not null,
  looked_at timestamptz not null default clock_timestamp(),
  -- Batches whose things stayed.
  kept text[] not null default '{}',
  primary key (kind, what)
);

-- As before, with receipts.
create or replace function analytics.purge_staging(p_keep interval default interval '24 hours')
returns table (batch_id text, staged bigint) language plpgsql as $$
declare
  v_batch record;
  v_bytes bigint;
  v_lock_timeout text := current_setting('lock_timeout');
begin
  for v_batch in
    select b.batch_id, b.attempt, analytics.staging_leaf(b.batch_no) as leaf from analytics.backfill_batches b
    where b.status in ('published', 'rolled_back') and b.completed_at <= now() - p_keep
      and to_regclass('analytics.' || analytics.staging_leaf(b.batch_no)) is not null
    order by b.batch_no for no key update skip locked
  loop
    execute format('select count(*) from analytics.%I', v_batch.leaf) into staged;
    if staged > 0 then
      batch_id := v_batch.batch_id;
      v_bytes := pg_total_relation_size(format('analytics.%I', v_batch.leaf)::regclass);
      perform analytics.empty_staging_leaf(v_batch.batch_id);
      insert into analytics.backfill_audit_log (actor, batch_id, action, detail)
      values (coalesce(nullif(current_setting('analytics.actor', true), ''), 'sql:' || session_user),
              v_batch.batch_id, 'purge_staging', jsonb_build_object('rows', staged));
      insert into analytics.backfill_deletions
        (kind, what, batch_id, attempt, rule, cut_off, rows, bytes, completed_at)
      values ('staging', 'analytics.' || v_batch.leaf, v_batch.batch_id, v_batch.attempt,
              format('staged rows of batches complete for %s', p_keep), now() - p_keep, staged, v_bytes, clock_timestamp());
      return next;
    end if;
    begin
      perform set_config('lock_timeout', '200ms', true);
      execute format('drop table analytics.%I', v_batch.leaf);
    exception when lock_not_available then
      raise notice 'the empty leaf of batch % is in use and goes at a later run', v_batch.batch_id;
    end;
    perform set_config('lock_timeout', v_lock_timeout, true);
  end loop;
end $$;
