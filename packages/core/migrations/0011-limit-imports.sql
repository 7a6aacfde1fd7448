-- How many events are imported before the batch halts for a person; NULL for no limit. It takes the place of the
-- canary's size, and is taken away when it was reached and the batch goes on.
alter table analytics.backfill_batches add column import_limit bigint check (import_limit > 0);
