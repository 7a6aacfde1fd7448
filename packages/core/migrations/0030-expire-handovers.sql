-- What was handed over, and deliveries that came second, go with the events that they are about.
drop trigger backfill_handovers_append_only on analytics.backfill_handovers;
create trigger backfill_handovers_append_only before update on analytics.backfill_handovers
  for each row execute function analytics.refuse_change();
