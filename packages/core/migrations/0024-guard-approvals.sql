-- Nobody signs in psql, and nobody for somebody else.
create function analytics.guard_approval() returns trigger language plpgsql as $$
begin
  if new.actor is distinct from nullif(current_setting('analytics.actor', true), '') then
    raise exception 'approvals of batch % are given by the actor of a token', new.batch_id
      using errcode = 'insufficient_privilege', hint = 'Use the API or ./backfill approve.';
  end if;
  return new;
end $$;
create trigger backfill_approvals_guard before insert on analytics.backfill_approvals
  for each row execute function analytics.guard_approval();
