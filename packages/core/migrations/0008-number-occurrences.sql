-- Where an event is the second, third, … of its kind within a file, for sources whose identity counts them. The first
-- is not written down.
create table analytics.backfill_occurrences (
  batch_id text collate "C" not null,
  file_no integer not null,
  line_no bigint not null,
  occurrence bigint not null check (occurrence >= 2),
  primary key (batch_id, file_no, line_no),
  foreign key (batch_id, file_no) references analytics.backfill_files
);

-- Of the text, whatever it is compressed with: tells a file that is delivered again from one that was cut anew.
alter table analytics.backfill_files add column content_sha256 text;
update analytics.backfill_files set content_sha256 = sha256;
alter table analytics.backfill_files alter column content_sha256 set not null;

create or replace function analytics.clear_batch_work(p_batch_id text) returns void language plpgsql as $$
begin
  perform analytics.empty_staging_leaf(p_batch_id);
  delete from analytics.backfill_quarantine where batch_id = p_batch_id;
  delete from analytics.backfill_losers where loser_batch_id = p_batch_id;
  delete from analytics.backfill_lineage where batch_id = p_batch_id;
  delete from analytics.backfill_event_checkpoint_raw where batch_id = p_batch_id;
  delete from analytics.backfill_import_parts where batch_id = p_batch_id;
  delete from analytics.backfill_raw_chunks where batch_id = p_batch_id;
  delete from analytics.backfill_occurrences where batch_id = p_batch_id;
  delete from analytics.backfill_files where batch_id = p_batch_id;
end $$;
