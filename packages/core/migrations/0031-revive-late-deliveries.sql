-- A delivery of live ingestion may still be uncommitted while the batch that was before it is taken back: the rollback cannot
-- see its note, and the delivery has seen a live row. When the last transaction of that time has ended, all such notes can
-- be seen, and what is missing is made live from the batch's tombstones.

-- Rollbacks whose late deliveries have not been looked for yet.
create table analytics.backfill_late_sweeps (
  rollback_id bigint primary key references analytics.backfill_rollbacks,
  -- Transactions that have written before this one may have seen the rows live. NULL until the rollback is seen committed:
  -- one that has begun after it may have done so too, before it came to the rows.
  horizon xid8,
  due_since timestamptz not null default now()
);

create function analytics.plan_late_sweep() returns trigger language plpgsql as $$
begin
  insert into analytics.backfill_late_sweeps (rollback_id) values (new.rollback_id);
  return null;
end $$;
create trigger backfill_rollbacks_plan_late_sweep after insert on analytics.backfill_rollbacks
  for each row when (new.tombstoned > 0) execute function analytics.plan_late_sweep();

-- In a transaction of its own, so that nobody waits for it long.
create function analytics.note_late_horizons() returns void language sql as $$
  update analytics.backfill_late_sweeps set horizon = pg_snapshot_xmax(pg_current_snapshot()) where horizon is null
$$;

-- Revives the late deliveries of one rollback, if nobody can be under way any more who has seen its rows. Returns its batch
-- and how many came back; no row when there is nothing to look for.
create function analytics.sweep_late_deliveries(out batch_id text, out events bigint) returns setof record
language plpgsql set enable_nestloop to off as $$
#variable_conflict use_column
declare
  v_rollback_id bigint;
  v_batch analytics.backfill_batches;
begin
  select s.rollback_id into v_rollback_id
    from analytics.backfill_late_sweeps s
   where s.horizon <= pg_snapshot_xmin(pg_current_snapshot())
      -- A database that was restored from a dump counts its transactions anew.
      or s.due_since < now() - interval '1 day'
   order by s.rollback_id limit 1 for update skip locked;
  if not found then
    return;
  end if;
  select b.* into v_batch
    from analytics.backfill_rollbacks r join analytics.backfill_batches b using (batch_id)
   where r.rollback_id = v_rollback_id;
  delete from analytics.backfill_late_sweeps where rollback_id = v_rollback_id;
  batch_id := v_batch.batch_id;
  events := 0;
  if exists (select 1 from analytics.backfill_live_losses
              where event_ts >= v_batch.window_start and event_ts < v_batch.window_end) then
    -- Who is suppressed from now on is so after the commit, and not missed in between.
    lock table analytics.privacy_suppressions in share mode;
    events := analytics.write_events(format(
      'select distinct on (t.event_id) t.event_id, t.source, t.event_name, n.schema_version, t.event_ts, t.session_id,
              t.subject_id, t.payload, null::text as batch_id, n.delivered_at as ingested_at
         from analytics.backfill_live_losses n
         join analytics.events_log t
           on t.event_id = n.event_id and t.event_ts = n.event_ts and t.batch_id = %1$L and t.deleted_at is not null
          and t.event_ts >= %2$L and t.event_ts < %3$L
         left join analytics.events_log e
           on e.event_id = n.event_id and e.event_ts = n.event_ts and e.deleted_at is null
          and e.event_ts >= %2$L and e.event_ts < %3$L
         -- What another batch has replaced is out of sight on purpose.
         left join (select distinct event_id, event_ts from analytics.events_log
                     where replaced_by is not null and event_ts >= %2$L and event_ts < %3$L) r
           on r.event_id = n.event_id and r.event_ts = n.event_ts
        where e.event_id is null and r.event_id is null
        order by t.event_id', v_batch.batch_id, v_batch.window_start, v_batch.window_end));
    if events > 0 then
      perform analytics.record_audit(v_batch.batch_id, 'late_deliveries', jsonb_build_object('events', events));
    end if;
  end if;
  return next;
end $$;
