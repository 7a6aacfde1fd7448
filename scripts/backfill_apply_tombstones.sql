-- Takes a batch back from psql, services up or down: fences off whatever runs for it, then, in one transaction,
-- tombstones its stored events, frees its dedup keys, and proves both. Safe to repeat. Refuses a missing or an unknown
-- batch_id.
--
--   psql -v ON_ERROR_STOP=1 -f scripts/backfill_apply_tombstones.sql --set batch_id=B
\set ON_ERROR_STOP on
\if :{?batch_id}
\else
  \echo 'batch_id is missing: psql -f scripts/backfill_apply_tombstones.sql --set batch_id=B'
  -- The only way to end psql with an error code from a script.
  do $$ begin raise exception 'batch_id is missing'; end $$;
\endif

select analytics.begin_rollback(:'batch_id');

begin;
select batch_id, attempt, tombstoned, keys_freed, live_rows_after, keys_after, left_outside, jobs_after, others_before,
       others_after, rolled_back_at
  from analytics.tombstone_batch(:'batch_id');
commit;
