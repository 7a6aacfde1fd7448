-- Drops the staged rows of batches that have been complete for 24 hours (runbook), from psql, in one transaction.
--
--   psql -v ON_ERROR_STOP=1 -f scripts/purge_staging.sql
\set ON_ERROR_STOP on
begin;
select batch_id, staged from analytics.purge_staging();
commit;
