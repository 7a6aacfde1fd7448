-- The ledger: what there is to do for a batch, and what of it is done. Redis only ever repeats what stands here.
create table analytics.backfill_files (
  batch_id text collate "C" not null references analytics.backfill_batches,
  file_no integer not null,
  -- The object's key below the batch's input prefix; the same under the mirror.
  source_file text collate "C" not null,
  size bigint not null,
  etag text not null,
  last_modified timestamptz not null,
  sha256 text not null,
  compression text not null,
  line_count bigint not null,
  mirrored_at timestamptz,
  primary key (batch_id, file_no),
  unique (batch_id, source_file)
);

create table analytics.backfill_raw_chunks (
  chunk_id bigint generated always as identity primary key,
  batch_id text collate "C" not null references analytics.backfill_batches,
  chunk_no integer not null,
  file_no integer not null,
  -- Byte range [start, end) of the stored object, on line ends; a gzip object is one chunk.
  byte_start bigint not null,
  byte_end bigint not null,
  first_line bigint not null,
  line_count bigint not null,
  state text not null default 'open' check (state in ('open', 'done')),
  epoch integer not null default 1,
  created_at timestamptz not null default now(),
  done_at timestamptz,
  unique (batch_id, chunk_no),
  foreign key (batch_id, file_no) references analytics.backfill_files
);
create index backfill_raw_chunks_open on analytics.backfill_raw_chunks (batch_id) where state = 'open';

create table analytics.backfill_import_parts (
  part_id bigint generated always as identity primary key,
  batch_id text collate "C" not null references analytics.backfill_batches,
  chunk_id bigint not null references analytics.backfill_raw_chunks on delete cascade,
  part_no integer not null,
  file_no integer not null,
  is_canary boolean not null,
  first_line bigint not null,
  line_count bigint not null,
  -- NULL when no line of the part became an event: there is nothing to import then.
  object_key text,
  object_sha256 text,
  object_bytes bigint not null default 0,
  event_count bigint not null,
  suppressed bigint not null,
  expired bigint not null,
  filtered bigint not null,
  quarantined bigint not null,
  state text not null check (state in ('ready', 'imported')),
  epoch integer not null default 1,
  inserted bigint not null default 0,
  duplicate_same_batch bigint not null default 0,
  duplicate_other_batch bigint not null default 0,
  duplicate_live bigint not null default 0,
  created_at timestamptz not null default now(),
  imported_at timestamptz,
  unique (chunk_id, part_no),
  check (line_count = event_count + suppressed + expired + filtered + quarantined),
  check (state = 'ready' or event_count = inserted + duplicate_same_batch + duplicate_other_batch + duplicate_live)
);
create index backfill_import_parts_batch on analytics.backfill_import_parts (batch_id, state);

-- A row here is a piece of work that some worker still has to finish. It is written in the transaction that makes
-- the work possible, and deleted when the work is done; the dispatcher repeats it to BullMQ until then.
create table analytics.backfill_outbox (
  outbox_id bigint generated always as identity primary key,
  job_id text not null unique,
  queue text not null,
  kind text not null,
  batch_id text collate "C" not null references analytics.backfill_batches,
  payload jsonb not null,
  -- Only sent while the batch has one of these statuses (import parts wait for the canary this way).
  when_status text[] not null,
  created_at timestamptz not null default now(),
  dispatched_at timestamptz
);
create index backfill_outbox_due on analytics.backfill_outbox (queue, batch_id, outbox_id) where dispatched_at is null;
create index backfill_outbox_sent on analytics.backfill_outbox (queue, dispatched_at) where dispatched_at is not null;
create index backfill_outbox_batch on analytics.backfill_outbox (batch_id);
