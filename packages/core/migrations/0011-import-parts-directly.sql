-- The part that claimed the key: tells an import what it has just claimed from what its batch had before.
alter table analytics.backfill_event_checkpoint add column part_id bigint;

-- Between which times a part's events lie: an import looks nowhere else for live ones.
alter table analytics.backfill_import_parts
  add column first_event_ts timestamptz, add column last_event_ts timestamptz;

-- Creates the batch's staging leaf, or empties it. Made apart and attached, with a CHECK that spares the attach its
-- scan: neither readers of the parent nor imports into other leaves wait. Its defaults are what all rows of a part have
-- in common, so that a part's object can be copied in as it is.
create or replace function analytics.create_staging_leaf(p_batch_id text) returns void language plpgsql as $$
declare
  v_batch analytics.backfill_batches;
  v_leaf text;
begin
  select * into strict v_batch from analytics.backfill_batches where batch_id = p_batch_id;
  v_leaf := analytics.staging_leaf(v_batch.batch_no);
  if to_regclass('analytics.' || v_leaf) is not null then
    perform analytics.empty_staging_leaf(p_batch_id);
    return;
  end if;
  execute format('create table analytics.%I (like analytics.events_backfill_staging including constraints)', v_leaf);
  execute format('alter table analytics.%I add check (batch_id is not null and batch_id = %L)', v_leaf, p_batch_id);
  execute format('alter table analytics.%I
                    alter batch_id set default %L, alter source set default %L,
                    alter part_id set default current_setting(''analytics.part_id'')::bigint,
                    alter is_duplicate set default false', v_leaf, p_batch_id, v_batch.source);
  execute format('create trigger append_only before update or delete on analytics.%I
                  for each row execute function analytics.refuse_change()', v_leaf);
  execute format('create trigger no_truncate before truncate on analytics.%I
                  for each statement execute function analytics.refuse_truncate()', v_leaf);
  execute format('alter table analytics.events_backfill_staging attach partition analytics.%I for values in (%L)',
                 v_leaf, p_batch_id);
end $$;
