-- The dedup store in a database of its own: the same table as in the events' database, which stays empty there.
create table analytics.backfill_event_checkpoint (
  event_id text collate "C" primary key,
  batch_id text collate "C" not null,
  seen_at timestamptz not null default now(),
  part_id bigint
);
create index backfill_event_checkpoint_batch on analytics.backfill_event_checkpoint (batch_id);

-- Whose store this is: the events_id of the one database that decides what is prepared here. Two of them would abort
-- each other's transactions.
create table analytics.backfill_key_store (
  one boolean primary key default true check (one),
  events_id uuid not null
);
