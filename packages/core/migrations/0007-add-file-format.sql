-- How the records of a file are written, and what of its beginning a reader of a later part has to know.
alter table analytics.backfill_files add column format text, add column header jsonb not null default 'null';
update analytics.backfill_files f
   set format = coalesce((select p.plan #>> '{recipe,source,format}' from analytics.backfill_plans p
                           where p.batch_id = f.batch_id order by p.attempt desc limit 1), 'ndjson');
alter table analytics.backfill_files alter column format set not null, alter column header drop default;
