-- Daily Active Sessions: how many different sessions have an event on a local day.
--
-- One SELECT that gives (day date, value), one row a day. It reads
--   kpi_events(event_id, event_name, event_ts, session_id, subject_id, payload): the source's events, as readers see
--     them now or as they would after the publish;
--   kpi_settings(time_zone, funnel_steps text[], funnel_window interval): one row, from policy.yaml.
-- It runs read-only, and is given up after kpi.timeout_seconds.
select day, count(*) as value
  from (select distinct (event_ts at time zone time_zone)::date as day, session_id
          from kpi_events cross join kpi_settings
         where session_id is not null) as sessions
 group by day
