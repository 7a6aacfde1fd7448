-- Runs of a job since one last ended in a way that its process could tell of, or since the work got on: each but the
-- last was cut off by the death of its process. A job that kills whoever runs it is found out by them.
alter table analytics.backfill_outbox
  add column runs_begun integer not null default 0,
  -- How far the work was when the last run began, in steps that stay when a run is cut off: parts of a chunk, files in
  -- the mirror.
  add column run_progress bigint not null default 0;
