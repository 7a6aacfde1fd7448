-- The dispatcher looks into the outbox by the clock; being told spares whoever waits for a stage most of that time. A
-- notification that is lost costs a turn of the clock. Never inside a prepared transaction, which may not notify: those are
-- of the dedup store.
create function analytics.wake_dispatcher() returns trigger language plpgsql as $$
begin
  perform pg_notify('backfill_outbox', '');
  return null;
end $$;

create trigger backfill_outbox_wake_dispatcher
  after insert on analytics.backfill_outbox
  for each statement execute function analytics.wake_dispatcher();
