-- One row per accepted line: the transformer's own account of what it made of the raw lines.
create table analytics.backfill_event_checkpoint_raw (
  event_id text collate "C" not null,
  batch_id text collate "C" not null references analytics.backfill_batches,
  source_file text collate "C" not null,
  line_no bigint not null,
  primary key (batch_id, source_file, line_no)
);

-- The dedup store. A row is a batch's claim on an event, and its ownership once the batch is published.
create table analytics.backfill_event_checkpoint (
  event_id text collate "C" primary key,
  batch_id text collate "C" not null,
  seen_at timestamptz not null default now()
);
create index backfill_event_checkpoint_batch on analytics.backfill_event_checkpoint (batch_id);

-- Where each staged row came from.
create table analytics.backfill_lineage (
  batch_id text collate "C" not null references analytics.backfill_batches,
  event_id text collate "C" not null,
  source_file text collate "C" not null,
  line_no bigint not null,
  primary key (batch_id, source_file, line_no)
);

-- Events that a batch also delivered but does not own. Outlives the staging purge, so that a rollback of the
-- winner can hand them over. winner_batch_id NULL: live ingestion has it.
create table analytics.backfill_losers (
  loser_batch_id text collate "C" not null references analytics.backfill_batches,
  event_id text collate "C" not null,
  winner_batch_id text collate "C",
  recorded_at timestamptz not null default now(),
  primary key (loser_batch_id, event_id)
);

create table analytics.backfill_quarantine (
  batch_id text collate "C" not null references analytics.backfill_batches,
  source_file text collate "C" not null,
  line_no bigint not null,
  reason text not null,
  quarantined_at timestamptz not null default now(),
  primary key (batch_id, source_file, line_no)
);

create table analytics.events_backfill_staging (
  event_id text collate "C" not null,
  batch_id text collate "C" not null,
  source text not null,
  event_name text not null,
  schema_version text not null,
  event_ts timestamptz(3) not null,
  session_id text,
  subject_id text,
  payload json not null,
  -- The import part that the row came with: what is left out of a publish is booked back to it.
  part_id bigint not null,
  is_duplicate boolean not null,
  duplicate_kind text check (duplicate_kind in ('same_batch', 'other_batch', 'live')),
  check (is_duplicate = (duplicate_kind is not null)),
  constraint events_backfill_staging_identity check (event_id = analytics.event_id(source, event_ts, payload))
) partition by list (batch_id);

create function analytics.staging_leaf(p_batch_no bigint) returns text language sql immutable as $$
  select 'events_backfill_staging_' || p_batch_no
$$;

-- Creates the batch's staging leaf, or empties it. Made apart and attached, with a CHECK that spares the attach its
-- scan: neither readers of the parent nor imports into other leaves wait.
create function analytics.create_staging_leaf(p_batch_id text) returns void language plpgsql as $$
declare
  v_leaf text := analytics.staging_leaf((select batch_no from analytics.backfill_batches where batch_id = p_batch_id));
begin
  if to_regclass('analytics.' || v_leaf) is not null then
    perform analytics.empty_staging_leaf(p_batch_id);
    return;
  end if;
  execute format('create table analytics.%I (like analytics.events_backfill_staging including constraints)', v_leaf);
  execute format('alter table analytics.%I add check (batch_id is not null and batch_id = %L)', v_leaf, p_batch_id);
  execute format('create trigger append_only before update or delete on analytics.%I
                  for each row execute function analytics.refuse_change()', v_leaf);
  execute format('create trigger no_truncate before truncate on analytics.%I
                  for each statement execute function analytics.refuse_truncate()', v_leaf);
  execute format('alter table analytics.events_backfill_staging attach partition analytics.%I for values in (%L)',
                 v_leaf, p_batch_id);
end $$;

-- Only analytics.empty_staging_leaf() may empty a leaf.
create function analytics.refuse_truncate() returns trigger language plpgsql as $$
begin
  if current_setting('analytics.emptying', true) is distinct from tg_table_name then
    raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
  end if;
  return null;
end $$;

-- Empties the batch's staging leaf, if there is one. TRUNCATE locks the leaf alone; dropping it would lock the parent
-- and with it everybody.
create function analytics.empty_staging_leaf(p_batch_id text) returns void language plpgsql as $$
declare
  v_leaf text := analytics.staging_leaf((select batch_no from analytics.backfill_batches where batch_id = p_batch_id));
begin
  if to_regclass('analytics.' || v_leaf) is null then
    return;
  end if;
  perform set_config('analytics.emptying', v_leaf, true);
  execute format('truncate analytics.%I', v_leaf);
  perform set_config('analytics.emptying', '', true);
end $$;

-- Keeps the batch's staged rows as they are until the transaction ends.
create function analytics.lock_staging_leaf(p_batch_id text) returns void language plpgsql as $$
begin
  execute format('lock table analytics.%I in share mode', analytics.staging_leaf(
    (select batch_no from analytics.backfill_batches where batch_id = p_batch_id)));
end $$;

-- Forgets what an earlier plan or attempt of the batch has worked out. Stored events, approvals, gate results and
-- the audit log stay.
create function analytics.clear_batch_work(p_batch_id text) returns void language plpgsql as $$
begin
  perform analytics.empty_staging_leaf(p_batch_id);
  delete from analytics.backfill_quarantine where batch_id = p_batch_id;
  delete from analytics.backfill_losers where loser_batch_id = p_batch_id;
  delete from analytics.backfill_lineage where batch_id = p_batch_id;
  delete from analytics.backfill_event_checkpoint_raw where batch_id = p_batch_id;
  delete from analytics.backfill_import_parts where batch_id = p_batch_id;
  delete from analytics.backfill_raw_chunks where batch_id = p_batch_id;
  delete from analytics.backfill_files where batch_id = p_batch_id;
end $$;

-- Drops the staged rows of batches that have been complete for 24 hours (runbook), leaf by leaf. Rows go at once;
-- the empty leaf goes when nobody is in the way, else at a later run.
create function analytics.purge_staging(p_keep interval default interval '24 hours')
returns table (batch_id text, staged bigint) language plpgsql as $$
declare
  v_batch record;
  v_lock_timeout text := current_setting('lock_timeout');
begin
  for v_batch in
    select b.batch_id, analytics.staging_leaf(b.batch_no) as leaf from analytics.backfill_batches b
    where b.status in ('published', 'rolled_back') and b.completed_at <= now() - p_keep
      and to_regclass('analytics.' || analytics.staging_leaf(b.batch_no)) is not null
    order by b.batch_no for no key update skip locked
  loop
    execute format('select count(*) from analytics.%I', v_batch.leaf) into staged;
    if staged > 0 then
      batch_id := v_batch.batch_id;
      perform analytics.empty_staging_leaf(v_batch.batch_id);
      insert into analytics.backfill_audit_log (actor, batch_id, action, detail)
      values (coalesce(nullif(current_setting('analytics.actor', true), ''), 'sql:' || session_user),
              v_batch.batch_id, 'purge_staging', jsonb_build_object('rows', staged));
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
