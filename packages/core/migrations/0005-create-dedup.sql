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
  is_duplicate boolean not null,
  duplicate_kind text check (duplicate_kind in ('same_batch', 'other_batch', 'live')),
  check (is_duplicate = (duplicate_kind is not null)),
  constraint events_backfill_staging_identity check (event_id = analytics.event_id(source, event_ts, payload))
) partition by list (batch_id);

create function analytics.staging_leaf(p_batch_no bigint) returns text language sql immutable as $$
  select 'events_backfill_staging_' || p_batch_no
$$;

-- Creates the batch's staging leaf, empty, dropping an earlier attempt's. Made apart and attached, with a CHECK
-- that spares the attach its scan: neither readers of the parent nor imports into other leaves wait.
create function analytics.create_staging_leaf(p_batch_id text) returns void language plpgsql as $$
declare
  v_leaf text := analytics.staging_leaf((select batch_no from analytics.backfill_batches where batch_id = p_batch_id));
begin
  perform analytics.drop_staging_leaf(p_batch_id);
  execute format('create table analytics.%I (like analytics.events_backfill_staging including constraints)', v_leaf);
  execute format('alter table analytics.%I add check (batch_id is not null and batch_id = %L)', v_leaf, p_batch_id);
  execute format('create trigger append_only before update or delete on analytics.%I
                  for each row execute function analytics.refuse_change()', v_leaf);
  execute format('alter table analytics.events_backfill_staging attach partition analytics.%I for values in (%L)',
                 v_leaf, p_batch_id);
end $$;

create function analytics.drop_staging_leaf(p_batch_id text) returns void language plpgsql as $$
declare
  v_leaf text := analytics.staging_leaf((select batch_no from analytics.backfill_batches where batch_id = p_batch_id));
begin
  -- Dropping a leaf waits for the parent's readers; do not make everyone else wait behind us for long.
  perform set_config('lock_timeout', '5s', true);
  execute format('drop table if exists analytics.%I', v_leaf);
end $$;

-- Forgets what an earlier plan or attempt of the batch has worked out. Stored events, approvals, gate results and
-- the audit log stay.
create function analytics.clear_batch_work(p_batch_id text) returns void language plpgsql as $$
begin
  perform analytics.drop_staging_leaf(p_batch_id);
  delete from analytics.backfill_quarantine where batch_id = p_batch_id;
  delete from analytics.backfill_losers where loser_batch_id = p_batch_id;
  delete from analytics.backfill_lineage where batch_id = p_batch_id;
  delete from analytics.backfill_event_checkpoint_raw where batch_id = p_batch_id;
  delete from analytics.backfill_import_parts where batch_id = p_batch_id;
  delete from analytics.backfill_raw_chunks where batch_id = p_batch_id;
  delete from analytics.backfill_files where batch_id = p_batch_id;
end $$;

-- Staged rows are kept 24 hours after a batch is complete (runbook), then dropped leaf by leaf.
create function analytics.purge_staging(p_keep interval default interval '24 hours')
returns table (batch_id text, staged bigint) language plpgsql as $$
declare
  v_batch record;
begin
  for v_batch in
    select b.batch_id, b.batch_no from analytics.backfill_batches b
    where b.status in ('published', 'rolled_back') and b.completed_at <= now() - p_keep
      and to_regclass('analytics.' || analytics.staging_leaf(b.batch_no)) is not null
    order by b.batch_no for no key update skip locked
  loop
    batch_id := v_batch.batch_id;
    execute format('select count(*) from analytics.%I', analytics.staging_leaf(v_batch.batch_no)) into staged;
    perform analytics.drop_staging_leaf(v_batch.batch_id);
    insert into analytics.backfill_audit_log (actor, batch_id, action, detail)
    values (coalesce(nullif(current_setting('analytics.actor', true), ''), 'sql:' || session_user), v_batch.batch_id,
            'purge_staging', jsonb_build_object('rows', staged));
    return next;
  end loop;
end $$;
