-- What to do with a batch that cannot be halted, since nothing of it would stop.
create function analytics.describe_after_halt(p_batch_id text, p_status text) returns text
language sql immutable as $$
  select case p_status
    when 'published' then format('Its events are live, and nothing works for it. ./backfill rollback %s takes it back, or '
      'psql -f scripts/backfill_apply_tombstones.sql --set batch_id=%s.', p_batch_id, p_batch_id)
    when 'rolling_back' then format('A rollback runs to its end. ./backfill status %s --watch follows it.', p_batch_id)
    when 'rolled_back' then format('Nothing works for it. ./backfill resume %s starts it anew.', p_batch_id)
    when 'failed' then format('Nothing works for it. ./backfill resume %s goes on, once the cause is mended, and '
      './backfill rollback %s gives it up.', p_batch_id, p_batch_id)
  end
$$;

-- As before, with a hint at each refusal.
create or replace function analytics.guard_batch_status() returns trigger language plpgsql as $$
declare
  v_actor text := nullif(current_setting('analytics.actor', true), '');
begin
  if new.status = old.status then
    return new;
  end if;
  if not analytics.is_status_change_allowed(old.status, new.status) then
    raise exception 'batch % cannot go from % to %', old.batch_id, old.status, new.status
      using errcode = 'check_violation',
            hint = case when new.status = 'halted' then analytics.describe_after_halt(old.batch_id, old.status)
                        else 'Use the API or ./backfill, which know what may follow.' end;
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
