-- Until when readers must see the rows of a publish: as the plan says that was approved, 30 minutes where it does not say.
create function analytics.set_visible_due() returns trigger language plpgsql as $$
begin
  new.visible_due := new.go_at + interval '1 minute' * coalesce((
    select (p.plan #>> '{policy,gates,visible_minutes}')::double precision
      from analytics.backfill_plans p join analytics.backfill_batches b using (batch_id, attempt, plan_hash)
     where b.batch_id = new.batch_id), 30);
  return new;
end $$;
create trigger backfill_publishes_set_due before insert on analytics.backfill_publishes
  for each row execute function analytics.set_visible_due();
