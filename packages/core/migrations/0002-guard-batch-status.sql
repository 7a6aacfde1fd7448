-- The one list of allowed status changes. Halting is allowed wherever something could be running or waiting;
-- a rollback from everywhere but a rollback.
create function analytics.is_status_change_allowed(p_from text, p_to text) returns boolean
language sql immutable as $$
  select case p_to
    when 'planning' then p_from in ('submitted', 'awaiting_run_approval', 'halted', 'failed', 'rolled_back')
    when 'awaiting_run_approval' then p_from in ('planning', 'halted')
    when 'preparing' then p_from in ('planning', 'awaiting_run_approval', 'halted', 'failed')
    when 'canary' then p_from in ('preparing', 'halted', 'failed')
    when 'importing' then p_from in ('canary', 'halted', 'failed')
    when 'verifying' then p_from in ('importing', 'gates_failed', 'awaiting_publish_approval', 'publishing', 'halted', 'failed')
    when 'gates_failed' then p_from in ('verifying', 'halted')
    when 'awaiting_publish_approval' then p_from in ('verifying', 'gates_failed', 'halted')
    when 'publishing' then p_from in ('awaiting_publish_approval', 'halted', 'failed')
    when 'published' then p_from = 'publishing'
    when 'halted' then p_from in ('submitted', 'planning', 'awaiting_run_approval', 'preparing', 'canary', 'importing',
                                  'verifying', 'gates_failed', 'awaiting_publish_approval', 'publishing')
    when 'failed' then p_from in ('submitted', 'planning', 'preparing', 'canary', 'importing', 'verifying', 'publishing')
    when 'rolling_back' then p_from not in ('rolling_back', 'rolled_back')
    when 'rolled_back' then p_from = 'rolling_back'
    else false
  end
$$;

alter table analytics.backfill_batches add check (status in (
  'submitted', 'planning', 'awaiting_run_approval', 'preparing', 'canary', 'importing', 'verifying', 'gates_failed',
  'awaiting_publish_approval', 'publishing', 'published', 'halted', 'rolling_back', 'rolled_back', 'failed'));

-- The services name themselves in the transaction setting analytics.actor. Whoever does not is a person in psql,
-- who may halt and nothing else: every other step has conditions that the services check.
create function analytics.guard_batch_status() returns trigger language plpgsql as $$
declare
  v_actor text := nullif(current_setting('analytics.actor', true), '');
begin
  if new.status = old.status then
    return new;
  end if;
  if not analytics.is_status_change_allowed(old.status, new.status) then
    raise exception 'batch % cannot go from % to %', old.batch_id, old.status, new.status
      using errcode = 'check_violation';
  end if;
  if v_actor is null and new.status <> 'halted' then
    raise exception 'batch % cannot be set to % by hand', old.batch_id, new.status
      using errcode = 'insufficient_privilege',
            hint = 'By hand a batch can only be halted. Use the API or ./backfill for everything else.';
  end if;
  -- Whatever runs for the batch must stop, or starts anew: fence it off.
  if new.status in ('halted', 'failed', 'rolling_back') or old.status in ('halted', 'failed', 'rolled_back') then
    new.epoch := old.epoch + 1;
  end if;
  if new.status in ('halted', 'failed') then
    new.resume_status := old.status;
    if new.status_reason is not distinct from old.status_reason then
      new.status_reason := 'set to ' || new.status || ' by ' || coalesce(v_actor, 'sql:' || session_user);
    end if;
  elsif old.status in ('halted', 'failed') then
    new.resume_status := null;
  end if;
  new.completed_at := case when new.status in ('published', 'rolled_back') then now() end;
  new.updated_at := now();
  return new;
end $$;

create trigger backfill_batches_guard_status before update of status on analytics.backfill_batches
  for each row execute function analytics.guard_batch_status();

-- Nor may anything else of a batch be changed by hand: approvals, freezes and gates were made for what it says.
create function analytics.guard_batch_columns() returns trigger language plpgsql as $$
begin
  if nullif(current_setting('analytics.actor', true), '') is not null then
    return new;
  end if;
  if tg_op = 'INSERT' then
    if new.status = 'submitted' and new.epoch = 1 and new.attempt = 1 then
      return new;
    end if;
  elsif to_jsonb(new) - 'status' - 'status_reason' = to_jsonb(old) - 'status' - 'status_reason' then
    return new;
  end if;
  raise exception 'batch % cannot be changed by hand like this', new.batch_id
    using errcode = 'insufficient_privilege',
          hint = 'By hand a batch can only be halted. Use the API or ./backfill for everything else.';
end $$;

-- Named to run before backfill_batches_guard_status, which sets some of these columns itself.
create trigger backfill_batches_guard_columns
  before insert or update on analytics.backfill_batches
  for each row execute function analytics.guard_batch_columns();

create function analytics.record_batch_status() returns trigger language plpgsql as $$
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
  -- The window is frozen from the last run approval until the batch is published or taken back.
  if new.status = 'preparing' then
    insert into analytics.backfill_freezes (batch_id, window_start, window_end, reason)
    values (new.batch_id, new.window_start, new.window_end, 'backfill in progress')
    on conflict do nothing;
  elsif new.status in ('published', 'rolled_back') then
    update analytics.backfill_freezes set lifted_at = now() where batch_id = new.batch_id and lifted_at is null;
  end if;
  insert into analytics.backfill_audit_log (actor, batch_id, action, detail)
  values (coalesce(nullif(current_setting('analytics.actor', true), ''), 'sql:' || session_user), new.batch_id, 'status',
          jsonb_build_object('from', old.status, 'to', new.status, 'reason', new.status_reason,
                             'epoch', new.epoch, 'attempt', new.attempt));
  return null;
end $$;

create trigger backfill_batches_record_status after update of status on analytics.backfill_batches
  for each row execute function analytics.record_batch_status();
