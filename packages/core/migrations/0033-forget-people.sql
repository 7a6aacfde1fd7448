-- A person who asks to be forgotten: who asked for it, under which pseudonyms, what went from where.
-- The clear id is nowhere in here: it is held in memory by the process that was given it.
create table analytics.backfill_erasures (
  erasure_id bigint generated always as identity primary key,
  requested_by text not null,
  requested_at timestamptz not null default clock_timestamp(),
  -- Every pseudonym that the person has had. What is left to do after a crash is found by them.
  pseudonyms text[] not null check (cardinality(pseudonyms) > 0),
  -- The last time that the clear id was submitted; everything is looked at again then.
  submitted_at timestamptz not null default clock_timestamp(),
  -- Who searches by the clear id, and the last sign of life. After 30 s without one, nobody does.
  search uuid,
  search_heartbeat_at timestamptz,
  searched_at timestamptz,
  begun_at timestamptz,
  -- The submission for which all stored events were gone through once; they are again at the end, and not in between.
  stored_erased_for timestamptz,
  -- Batches that something works for; they are looked at when they rest.
  waiting_for text[] not null default '{}',
  ended_at timestamptz,
  -- 'incomplete': the problems say what was left. The clear id submitted again finds it.
  outcome text check (outcome in ('complete', 'incomplete')),
  problems jsonb not null default '[]',
  check ((ended_at is null) = (outcome is null))
);
create index backfill_erasures_open on analytics.backfill_erasures (erasure_id) where ended_at is null;
create index backfill_erasures_pseudonyms on analytics.backfill_erasures using gin (pseudonyms);

-- The log can never forget, so it says that, and not who.
create function analytics.record_erasure() returns trigger language plpgsql as $$
begin
  perform analytics.record_audit(null, tg_argv[0], jsonb_build_object(
    'erasure_id', new.erasure_id, 'pseudonyms', cardinality(new.pseudonyms), 'outcome', new.outcome));
  return null;
end $$;
create trigger backfill_erasures_record after insert on analytics.backfill_erasures
  for each row execute function analytics.record_erasure('erasure');
create trigger backfill_erasures_record_again after update on analytics.backfill_erasures
  for each row when (new.submitted_at is distinct from old.submitted_at)
  execute function analytics.record_erasure('erasure_again');
create trigger backfill_erasures_record_end after update on analytics.backfill_erasures
  for each row when (old.ended_at is null and new.ended_at is not null)
  execute function analytics.record_erasure('erasure_ended');
create trigger backfill_erasures_wake_dispatcher after insert or update of submitted_at on analytics.backfill_erasures
  for each statement execute function analytics.wake_dispatcher();

-- Receipts: how much of the person has gone from where. They count up, and say nothing of whom.
create table analytics.backfill_erasure_receipts (
  erasure_id bigint not null references analytics.backfill_erasures,
  -- What it went from, see erasure-stores.ts.
  store text not null,
  -- '': of no batch in particular.
  batch_id text collate "C" not null default '',
  rows bigint not null default 0,
  objects bigint not null default 0,
  first_at timestamptz not null default clock_timestamp(),
  last_at timestamptz not null default clock_timestamp(),
  primary key (erasure_id, store, batch_id)
);
create function analytics.guard_erasure_receipt() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and new.rows >= old.rows and new.objects >= old.objects
     and to_jsonb(new) - array['rows', 'objects', 'last_at'] = to_jsonb(old) - array['rows', 'objects', 'last_at'] then
    return new;
  end if;
  raise exception '% is append-only', tg_table_name
    using errcode = 'restrict_violation', hint = 'A receipt counts up.';
end $$;
create trigger backfill_erasure_receipts_append_only before update or delete on analytics.backfill_erasure_receipts
  for each row execute function analytics.guard_erasure_receipt();
create trigger backfill_erasure_receipts_no_truncate before truncate on analytics.backfill_erasure_receipts
  for each statement execute function analytics.refuse_change();

-- Which batches were looked through: by the pseudonyms, and by the clear id.
create table analytics.backfill_erasure_batches (
  erasure_id bigint not null references analytics.backfill_erasures,
  batch_id text collate "C" not null references analytics.backfill_batches,
  attempt integer not null,
  erased_at timestamptz,
  searched_at timestamptz,
  primary key (erasure_id, batch_id, attempt)
);

-- Events of the person, while they are being erased: what one store tells of another one, across a crash. Emptied at the
-- end.
create table analytics.backfill_erasure_events (
  erasure_id bigint not null references analytics.backfill_erasures,
  event_id text collate "C" not null,
  -- Which batch had it stored; '' for none.
  batch_id text collate "C" not null default '',
  primary key (erasure_id, event_id, batch_id)
);
-- Lines that only the clear id could find, until they are emptied.
create table analytics.backfill_erasure_lines (
  erasure_id bigint not null references analytics.backfill_erasures,
  batch_id text collate "C" not null references analytics.backfill_batches,
  attempt integer not null,
  file_no integer not null,
  line_no bigint not null,
  primary key (erasure_id, batch_id, file_no, line_no)
);

-- Objects of a batch that stand ready to take the place of others, or have to go: written down in the transaction that
-- says so in the books, and done after it. Nothing works for the batch meanwhile.
create table analytics.backfill_erasure_objects (
  object_no bigint generated always as identity primary key,
  batch_id text collate "C" not null references analytics.backfill_batches,
  from_key text not null,
  -- NULL: from_key only goes.
  to_key text
);
create index backfill_erasure_objects_batch on analytics.backfill_erasure_objects (batch_id);

-- Lines of the mirror that were emptied: they count as suppressed, whatever they were.
create table analytics.backfill_erased_lines (
  batch_id text collate "C" not null,
  file_no integer not null,
  line_no bigint not null,
  primary key (batch_id, file_no, line_no),
  foreign key (batch_id, file_no) references analytics.backfill_files (batch_id, file_no) on delete cascade
);

-- Of the mirror's object, where lines of it were emptied. What the plan has pinned stays beside it.
alter table analytics.backfill_files
  add column mirror_size bigint,
  add column mirror_sha256 text,
  add check ((mirror_size is null) = (mirror_sha256 is null));
create or replace view analytics.backfill_mirror_objects as
  select batch_id, file_no, source_file, line_count, mirrored_at,
         coalesce(mirror_size, copy_size, size) as size,
         coalesce(mirror_sha256, copy_sha256, sha256) as sha256,
         case when copy_sha256 is null then compression else 'none' end as compression,
         case when copy_sha256 is null then format else 'pseudonymised' end as format,
         case when copy_sha256 is null then header else 'null' end as header
    from analytics.backfill_files;

-- As before; an erasure takes its person's rows out, and the ids of events out of what gates say about them.
create or replace function analytics.refuse_change() returns trigger language plpgsql as $$
begin
  if current_setting('analytics.erasing', true) = 'on' then
    if tg_op = 'DELETE' and tg_table_name like 'events\_backfill\_staging\_%' then
      return old;
    end if;
    if tg_op = 'UPDATE' and tg_table_name = 'backfill_gate_results'
       and to_jsonb(new) - 'detail' = to_jsonb(old) - 'detail' then
      return new;
    end if;
  end if;
  raise exception '% is append-only', tg_table_name
    using errcode = 'restrict_violation',
          hint = 'Rows are added, never changed; the purge drops whole batches.';
end $$;

-- As before, without ids of events, which the log could never forget.
create function analytics.record_rollback() returns trigger language plpgsql as $$
begin
  perform analytics.record_audit(new.batch_id, tg_argv[0],
    (to_jsonb(new) - 'batch_id') #- '{snapshot,since_examples}');
  return null;
end $$;
drop trigger backfill_rollbacks_record on analytics.backfill_rollbacks;
drop trigger backfill_rollbacks_record_change on analytics.backfill_rollbacks;
create trigger backfill_rollbacks_record after insert on analytics.backfill_rollbacks
  for each row execute function analytics.record_rollback('rollback');
-- A proof is completed when the keys are counted; an erasure that amends its examples completes nothing.
create trigger backfill_rollbacks_record_change after update on analytics.backfill_rollbacks
  for each row when (old.keys_freed is null and new.keys_freed is not null)
  execute function analytics.record_rollback('rollback_completed');
