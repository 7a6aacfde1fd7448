-- Every accepted line and every line of descent names a batch that exists. A foreign key looks that up, and locks the
-- batch, once per row, which took two thirds of the time to write the row. A statement has rows of one batch or a few:
-- they are looked up once each.
create function analytics.require_batches() returns trigger language plpgsql as $$
declare
  v_named text[] := array(select distinct batch_id from added);
begin
  perform from analytics.backfill_batches b where b.batch_id = any (v_named) order by b.batch_id for key share;
  if (select count(*) from analytics.backfill_batches b where b.batch_id = any (v_named)) < cardinality(v_named) then
    raise exception '% names a batch that does not exist', tg_table_name using errcode = 'foreign_key_violation';
  end if;
  return null;
end $$;

-- The other direction.
create function analytics.keep_named_batch() returns trigger language plpgsql as $$
begin
  if exists (select from analytics.backfill_event_checkpoint_raw r where r.batch_id = old.batch_id)
     or exists (select from analytics.backfill_lineage l where l.batch_id = old.batch_id) then
    raise exception 'batch % has lines on record', old.batch_id using errcode = 'foreign_key_violation';
  end if;
  return case tg_op when 'DELETE' then old else new end;
end $$;
create trigger keep_named before delete or update of batch_id on analytics.backfill_batches
  for each row execute function analytics.keep_named_batch();

alter table analytics.backfill_event_checkpoint_raw drop constraint backfill_event_checkpoint_raw_batch_id_fkey;
create trigger require_batches after insert on analytics.backfill_event_checkpoint_raw
  referencing new table as added for each statement execute function analytics.require_batches();
create trigger require_batches_updated after update on analytics.backfill_event_checkpoint_raw
  referencing new table as added for each statement execute function analytics.require_batches();
