-- A file from outside the EU stands in the mirror as a pseudonymised copy, line for line. The plan makes it once to learn
-- its size and checksum, and cuts the chunks on it.
alter table analytics.backfill_files
  add column copy_size bigint,
  add column copy_sha256 text,
  add check ((copy_size is null) = (copy_sha256 is null));

-- The object of the mirror that stands for each pinned file, and how it is read.
create view analytics.backfill_mirror_objects as
  select batch_id, file_no, source_file, line_count, mirrored_at,
         coalesce(copy_size, size) as size,
         coalesce(copy_sha256, sha256) as sha256,
         case when copy_sha256 is null then compression else 'none' end as compression,
         case when copy_sha256 is null then format else 'pseudonymised' end as format,
         case when copy_sha256 is null then header else 'null' end as header
    from analytics.backfill_files;
