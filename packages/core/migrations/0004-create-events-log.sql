-- The stored events, live and backfilled, one partition per UTC day. The partial unique index is the last fence:
-- an event id is live at most once, whatever runs at the same time.
create table analytics.events_log (
  event_id text collate "C" not null,
  source text not null,
  event_name text not null,
  schema_version text not null,
  event_ts timestamptz(3) not null,
  session_id text,
  subject_id text,
  payload json not null,
  batch_id text collate "C",
  deleted_at timestamptz,
  ingested_at timestamptz not null default now()
) partition by range (event_ts);
create unique index events_log_live on analytics.events_log (event_id, event_ts) where deleted_at is null;
-- A rollback finds its rows, and proves that there are none left, without reading everybody else's.
create index events_log_batch on analytics.events_log (batch_id) where batch_id is not null and deleted_at is null;

-- Takes what no day partition exists for yet, so that a live writer never fails for a missing day.
create table analytics.events_log_default partition of analytics.events_log default;

create view analytics.events as
  select event_id, source, event_name, schema_version, event_ts, session_id, subject_id, payload, batch_id, ingested_at
  from analytics.events_log
  where deleted_at is null;

-- Creates the partition of one UTC day, if it is missing. Call it in a transaction of its own.
--
-- Writers are held off first, on the parent: one that had been routed to the default partition already would fail
-- when the new one takes the day over. The wait for them is short, because everybody queues behind it; whoever calls
-- tries again later. Rows of the day that the default partition has taken move along.
create function analytics.ensure_event_day(p_day date) returns void language plpgsql as $$
declare
  v_leaf text := 'events_log_' || to_char(p_day, 'YYYYMMDD');
  v_start timestamptz := p_day::timestamp at time zone 'UTC';
  v_end timestamptz := (p_day + 1)::timestamp at time zone 'UTC';
begin
  if to_regclass('analytics.' || v_leaf) is not null then
    return;
  end if;
  perform set_config('lock_timeout', '500ms', true);
  lock table analytics.events_log in share row exclusive mode;
  if to_regclass('analytics.' || v_leaf) is not null then
    return;
  end if;
  lock table analytics.events_log_default in access exclusive mode;
  execute format('create table analytics.%I (like analytics.events_log including defaults)', v_leaf);
  execute format('alter table analytics.%I add check (event_ts >= %L and event_ts < %L)', v_leaf, v_start, v_end);
  execute format(
    'with moved as (delete from analytics.events_log_default where event_ts >= %L and event_ts < %L returning *)
     insert into analytics.%I select * from moved', v_start, v_end, v_leaf);
  execute format('alter table analytics.events_log attach partition analytics.%I for values from (%L) to (%L)',
                 v_leaf, v_start, v_end);
end $$;

-- Identity, as the contract writes it. Declared immutable although to_char() is only stable: with a fixed UTC
-- timestamp and this numeric pattern no setting of a session changes the result.
create function analytics.event_id(p_source text, p_event_ts timestamptz, p_payload json) returns text
language sql immutable parallel safe as $$
  select concat_ws(':', p_source,
    to_char(p_event_ts at time zone 'UTC', 'YYYYMMDDHH24MISSMS'),
    '\x' || encode(sha256(convert_to(p_payload::text, 'UTF8')), 'hex'))
$$;

create table analytics.privacy_suppressions (
  subject_id text primary key,
  reason text not null,
  effective_from timestamptz not null default now()
);

-- A key's fingerprint, kept from its first use: a replay under another key would make new people out of known ones.
create table analytics.privacy_key_checks (
  key_version integer primary key,
  key_check text not null,
  first_seen_at timestamptz not null default now()
);
