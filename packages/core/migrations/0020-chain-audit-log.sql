-- The audit log's hash chain. An entry is written as before, without a place in the chain; a sealer gives it one when it
-- is committed: the next number, and a message authentication code over the entry before it and itself, under a key that
-- is not in the database.
alter table analytics.backfill_audit_log
  add column chain_no bigint check (chain_no > 0),
  add column mac text check (mac ~ '^[0-9a-f]{64}$'),
  add constraint backfill_audit_log_sealed check ((chain_no is null) = (mac is null));
create unique index backfill_audit_log_chain on analytics.backfill_audit_log (chain_no) where chain_no is not null;
create index backfill_audit_log_unsealed on analytics.backfill_audit_log (audit_id) where chain_no is null;

-- Where the chain ends, and how far it is anchored in the archive. One row.
create table analytics.backfill_audit_chain (
  one boolean primary key default true check (one),
  -- Tells the key from another one; NULL until a service has brought the first.
  key_check text,
  chain_no bigint not null default 0,
  mac text,
  -- When the last entry was sealed.
  sealed_at timestamptz,
  -- The last entry that a head has to cover, and the last one that a head stands at.
  anchor_no bigint not null default 0,
  anchored_no bigint not null default 0
);
insert into analytics.backfill_audit_chain default values;

-- An entry is added unsealed, and sealed once. Nothing else ever happens to it.
create function analytics.guard_audit_entry() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' and new.chain_no is null then
    return new;
  end if;
  if tg_op = 'UPDATE' and old.chain_no is null and new.chain_no is not null
     and to_jsonb(new) - 'chain_no' - 'mac' = to_jsonb(old) - 'chain_no' - 'mac' then
    return new;
  end if;
  raise exception '% is append-only', tg_table_name
    using errcode = 'restrict_violation',
          hint = 'Entries are added without a place in the chain, and get one once, by the sealer.';
end $$;
drop trigger backfill_audit_log_append_only on analytics.backfill_audit_log;
create trigger backfill_audit_log_append_only before insert or update or delete on analytics.backfill_audit_log
  for each row execute function analytics.guard_audit_entry();

-- Decisions and changes of state that are more than a status. Each is recorded by its own table, so that it cannot be
-- made without, from psql neither.
create function analytics.record_audit(p_batch_id text, p_action text, p_detail jsonb, p_actor text default null)
returns void language sql as $$
  insert into analytics.backfill_audit_log (actor, batch_id, action, detail)
  values (coalesce(p_actor, nullif(current_setting('analytics.actor', true), ''), 'sql:' || session_user),
          p_batch_id, p_action, p_detail)
$$;

create function analytics.record_submission() returns trigger language plpgsql as $$
begin
  perform analytics.record_audit(new.batch_id, 'submit', jsonb_strip_nulls(jsonb_build_object(
    'source', new.source, 'reason', new.reason, 'input', new.input, 'window_start', new.window_start,
    'window_end', new.window_end, 'request_sha256', new.request_sha256, 'submitted_by', new.submitted_by,
    'replaces', new.request -> 'replaces', 'retention_exception', new.request -> 'retention_exception')));
  return null;
end $$;
create trigger backfill_batches_record_submission after insert on analytics.backfill_batches
  for each row execute function analytics.record_submission();

-- What run approvals are about to bind to. Also when a plan comes out as an earlier one did.
create function analytics.record_plan() returns trigger language plpgsql as $$
begin
  perform analytics.record_audit(new.batch_id, 'plan', jsonb_build_object(
    'attempt', new.attempt, 'plan_hash', new.plan_hash, 'recipe_hash', p.recipe_hash,
    'policy_sha256', encode(sha256(convert_to((p.plan -> 'policy')::text, 'UTF8')), 'hex')))
    from (values (true)) as once (found)
    left join analytics.backfill_plans p
           on p.batch_id = new.batch_id and p.attempt = new.attempt and p.plan_hash = new.plan_hash;
  return null;
end $$;
create trigger backfill_batches_record_plan after update of plan_hash on analytics.backfill_batches
  for each row when (new.plan_hash is not null) execute function analytics.record_plan();

-- What publish approvals are about to bind to, with every gate's numbers.
create function analytics.record_gates() returns trigger language plpgsql as $$
declare
  v_run_no integer;
  v_gates jsonb;
begin
  select r.run_no, jsonb_object_agg(r.gate, jsonb_build_object(
           'threshold', r.threshold, 'observed', r.observed, 'passed', r.passed))
    into v_run_no, v_gates
    from analytics.backfill_gate_results r
   where r.batch_id = new.batch_id and r.attempt = new.attempt
   group by r.run_no order by r.run_no desc limit 1;
  perform analytics.record_audit(new.batch_id, 'gates', jsonb_build_object(
    'attempt', new.attempt, 'run_no', v_run_no, 'gate_set_hash', new.gate_set_hash, 'rows_digest', new.rows_digest,
    'checksum', new.checksum, 'row_count', new.row_count, 'gates', v_gates));
  return null;
end $$;
create trigger backfill_batches_record_gates after update of gate_set_hash on analytics.backfill_batches
  for each row when (new.gate_set_hash is not null) execute function analytics.record_gates();

-- A column of a batch that somebody decides about: the action is the column's name.
create function analytics.record_batch_column() returns trigger language plpgsql as $$
begin
  perform analytics.record_audit(new.batch_id, tg_argv[0], jsonb_build_object(
    'from', to_jsonb(old) -> tg_argv[0], 'to', to_jsonb(new) -> tg_argv[0], 'attempt', new.attempt));
  return null;
end $$;
create trigger backfill_batches_record_canary after update of canary_passed on analytics.backfill_batches
  for each row when (new.canary_passed is not null) execute function analytics.record_batch_column('canary_passed');
create trigger backfill_batches_record_limit after update of import_limit on analytics.backfill_batches
  for each row when (new.import_limit is distinct from old.import_limit)
  execute function analytics.record_batch_column('import_limit');
-- Where a stopped batch will go on, when something else than its stop says so.
create trigger backfill_batches_record_resume after update of resume_status on analytics.backfill_batches
  for each row when (new.status = old.status and new.resume_status is distinct from old.resume_status)
  execute function analytics.record_batch_column('resume_status');

create function analytics.record_approval() returns trigger language plpgsql as $$
begin
  perform analytics.record_audit(new.batch_id, 'approval', to_jsonb(new) - 'batch_id' - 'actor', new.actor);
  return null;
end $$;
create trigger backfill_approvals_record after insert on analytics.backfill_approvals
  for each row execute function analytics.record_approval();

-- A row that is evidence as a whole: the action is the argument.
create function analytics.record_row() returns trigger language plpgsql as $$
begin
  perform analytics.record_audit(new.batch_id, tg_argv[0], to_jsonb(new) - 'batch_id');
  return null;
end $$;
create trigger backfill_rollbacks_record after insert on analytics.backfill_rollbacks
  for each row execute function analytics.record_row('rollback');
-- The proof is completed when keys in another database are free.
create trigger backfill_rollbacks_record_change after update on analytics.backfill_rollbacks
  for each row execute function analytics.record_row('rollback_completed');
create trigger backfill_incidents_record after insert on analytics.backfill_incidents
  for each row execute function analytics.record_row('incident');
create trigger backfill_incidents_record_change after update on analytics.backfill_incidents
  for each row execute function analytics.record_row('incident_changed');
create trigger backfill_freezes_record after insert on analytics.backfill_freezes
  for each row execute function analytics.record_row('freeze');
create trigger backfill_freezes_record_change after update on analytics.backfill_freezes
  for each row execute function analytics.record_row('freeze_changed');
