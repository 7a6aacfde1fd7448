-- Activation: of the subjects who take the first step on a local day, the share who take all other steps after it, in
-- order, within the funnel's window. They belong to the day of their first step; who takes it on several days counts on
-- each, so that a day's share depends on that day and the window behind it alone.
--
-- One SELECT that gives (day date, value), one row a day. It reads
--   kpi_events(event_id, event_name, event_ts, session_id, subject_id, payload): the source's events, as readers see
--     them now or as they would after the publish;
--   kpi_settings(time_zone, funnel_steps text[], funnel_window interval): one row, from policy.yaml; the window is
--     shorter where the youngest day that is compared is not older.
-- It runs read-only, and is given up after kpi.timeout_seconds.
with recursive taken as (
  select subject_id, event_ts, step, (event_ts at time zone time_zone)::date as day
    from kpi_events cross join kpi_settings
   cross join unnest(funnel_steps) with ordinality as steps (step_name, step)
   where event_name = step_name and subject_id is not null
), reached as (
  select subject_id, day, min(event_ts) as first_at, min(event_ts) as at, 1::bigint as step
    from taken where step = 1 group by subject_id, day
  union all
  -- The earliest next step of each.
  (select distinct on (r.subject_id, r.day) r.subject_id, r.day, r.first_at, t.event_ts, t.step
     from reached r
     join taken t on t.subject_id = r.subject_id and t.step = r.step + 1
    cross join kpi_settings
    where t.event_ts >= r.at and t.event_ts < r.first_at + funnel_window
    order by r.subject_id, r.day, t.event_ts)
)
select day,
       count(*) filter (where step = cardinality(funnel_steps))::float8 / count(*) filter (where step = 1) as value
  from reached cross join kpi_settings
 group by day
