-- A batch is one backfill run. Its status is the only thing that says what may happen to it; every change
-- of it goes through the guard below, from the services and from psql alike.
create table analytics.backfill_batches (
  batch_id text collate "C" primary key check (batch_id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$'),
  -- Names the batch's staging leaf: a batch id may be longer than an identifier and may hold dots.
  batch_no bigint generated always as identity unique,
  source text not null,
  reason text not null check (reason in ('outage', 'schema_migration', 'reprocess')),
  input text not null,
  window_start timestamptz not null,
  window_end timestamptz not null,
  request jsonb not null,
  request_sha256 text not null,
  submitted_by text not null,
  status text not null default 'submitted',
  status_reason text,
  -- Where a halt came from, and where a resume goes back to.
  resume_status text,
  -- Work started under an older epoch may not commit any more. See analytics.guard_batch_status().
  epoch integer not null default 1,
  -- 1, and one more for each new start after a rollback.
  attempt integer not null default 1,
  plan_hash text,
  gate_set_hash text,
  -- sha256 over every column of the rows to publish: what is published must be what was signed.
  rows_digest text,
  checksum text,
  row_count bigint,
  canary_passed boolean,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  completed_at timestamptz,
  check (window_start < window_end)
);
create index backfill_batches_open on analytics.backfill_batches (batch_no)
  where status not in ('published', 'rolled_back');

create table analytics.backfill_batches_metadata (
  batch_id text collate "C" primary key references analytics.backfill_batches,
  snapshot_start timestamptz,
  snapshot_end timestamptz,
  checksum text,
  applied_at timestamptz,
  raw_path text,
  raw_checksum text,
  snapshot_path text
);

-- What was approved: manifest, recipe, window, overlap and gate policy, pinned as one document.
create table analytics.backfill_plans (
  batch_id text collate "C" not null references analytics.backfill_batches,
  attempt integer not null,
  plan_hash text not null,
  recipe_hash text not null,
  plan jsonb not null,
  planned_at timestamptz not null default now(),
  primary key (batch_id, attempt, plan_hash)
);

create table analytics.backfill_approvals (
  approval_id bigint generated always as identity primary key,
  batch_id text collate "C" not null references analytics.backfill_batches,
  attempt integer not null,
  stage text not null check (stage in ('run', 'publish', 'override')),
  role text not null,
  actor text not null,
  decision text not null check (decision in ('approve', 'reject')),
  -- The plan hash (run) or the gate-set hash (publish) that was signed; the approval falls when that changes.
  bound_hash text not null,
  gate text,
  comment text,
  approved_at timestamptz not null default now()
);
create index backfill_approvals_batch on analytics.backfill_approvals (batch_id, attempt, stage);

create table analytics.backfill_gate_results (
  batch_id text collate "C" not null references analytics.backfill_batches,
  attempt integer not null,
  -- Counts the verifications of one attempt; the highest one is in force.
  run_no integer not null,
  gate text not null,
  threshold double precision not null,
  observed double precision,
  passed boolean not null,
  -- The SQL or the procedure behind the number, and the figures it came from.
  procedure text not null,
  detail jsonb not null default '{}',
  measured_at timestamptz not null default now(),
  primary key (batch_id, attempt, run_no, gate)
);

create table analytics.backfill_incidents (
  incident_id bigint generated always as identity primary key,
  batch_id text collate "C" not null references analytics.backfill_batches,
  kind text not null,
  summary text not null,
  raised_at timestamptz not null default now(),
  post_mortem_due timestamptz not null default now() + interval '24 hours',
  closed_at timestamptz
);

create table analytics.backfill_freezes (
  freeze_id bigint generated always as identity primary key,
  batch_id text collate "C" not null references analytics.backfill_batches,
  window_start timestamptz not null,
  window_end timestamptz not null,
  reason text not null,
  frozen_at timestamptz not null default now(),
  lifted_at timestamptz
);
create unique index backfill_freezes_open on analytics.backfill_freezes (batch_id) where lifted_at is null;

create table analytics.backfill_audit_log (
  audit_id bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  actor text not null,
  batch_id text collate "C",
  action text not null,
  detail jsonb not null default '{}'
);
create index backfill_audit_log_batch on analytics.backfill_audit_log (batch_id, audit_id);

create table analytics.backfill_api_tokens (
  token_sha256 text primary key check (token_sha256 ~ '^[0-9a-f]{64}$'),
  actor text not null,
  roles text[] not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  revoked_at timestamptz
);

-- For tables that may only grow.
create function analytics.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only', tg_table_name
    using errcode = 'restrict_violation',
          hint = 'Rows are added, never changed; the purge drops whole batches.';
end $$;

create trigger backfill_audit_log_append_only before update or delete on analytics.backfill_audit_log
  for each row execute function analytics.refuse_change();
create trigger backfill_audit_log_no_truncate before truncate on analytics.backfill_audit_log
  for each statement execute function analytics.refuse_change();

-- Evidence is added, never changed.
create trigger backfill_plans_append_only before update or delete on analytics.backfill_plans
  for each row execute function analytics.refuse_change();
create trigger backfill_approvals_append_only before update or delete on analytics.backfill_approvals
  for each row execute function analytics.refuse_change();
create trigger backfill_gate_results_append_only before update or delete on analytics.backfill_gate_results
  for each row execute function analytics.refuse_change();
