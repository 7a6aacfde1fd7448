-- How many events are imported before the batch halts for a person; NULL for no limit. It takes the place of the
-- canary's size, and is taken away when it was reached and the batch goes on.
alter table analytics.backfill_batches add column import_limit bigint check (import_limit > 0);

-- Events that a batch's importers, all together, may stage in a second; NULL for no limit. From the policy in the plan.
alter table analytics.backfill_batches add column import_events_per_second integer check (import_events_per_second > 0);

-- When the next part of a batch with such a rate may be imported: each part books the time that its events take.
create table analytics.backfill_import_pace (
  batch_id text collate "C" primary key references analytics.backfill_batches,
  next_at timestamptz not null
);
