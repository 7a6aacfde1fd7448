-- An event is found in all that is written about it without reading a whole batch or a whole day.
create index backfill_lineage_event on analytics.backfill_lineage (event_id);
create index backfill_handovers_event on analytics.backfill_handovers (event_id);
-- Taken-back rows lie in the order in which they were written, mostly that of their times: a summary of each stretch is
-- enough, and costs a rollback nothing to speak of.
create index events_log_taken_back on analytics.events_log using brin (event_ts)
  with (pages_per_range = 32, autosummarize = on) where deleted_at is not null;
