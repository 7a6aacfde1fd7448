-- As 0015 does for the accepted lines.
alter table analytics.backfill_lineage drop constraint backfill_lineage_batch_id_fkey;
create trigger require_batches after insert on analytics.backfill_lineage
  referencing new table as added for each statement execute function analytics.require_batches();
create trigger require_batches_updated after update on analytics.backfill_lineage
  referencing new table as added for each statement execute function analytics.require_batches();
