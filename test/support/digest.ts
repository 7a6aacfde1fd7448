import type pg from 'pg';

/** What runs a query: a pool, or something that stands for one. */
export interface QueryRunner {
  query<Row extends pg.QueryResultRow>(text: string, values: unknown[]): Promise<{ rows: Row[] }>;
}

/**
 * One hash over everything a batch has left in the tables, without what may differ between runs (times, ledger ids,
 * and which of two identical lines came first).
 *
 * @param keys where the dedup store is in a database of its own
 * @param open a query, in either database, for the ids of events of which it is open who has them
 */
export async function batchDigest(
  sql: QueryRunner,
  batchId: string,
  keys: QueryRunner = sql,
  open = `select ''`,
): Promise<Record<string, unknown>> {
  const { rows } = await sql.query<Record<string, unknown>>(
    `select
       (select jsonb_build_array(count(*), md5(string_agg(s::text, e'\\n' order by s::text))) from (
          select event_id, source, event_name, schema_version, event_ts, session_id, subject_id, payload::text,
                 is_duplicate, duplicate_kind
            from analytics.events_backfill_staging where batch_id = $1 and event_id not in (${open})) s) as staging,
       (select jsonb_build_array(count(*), md5(string_agg(l::text, e'\\n' order by l::text))) from (
          select event_id, event_ts, payload::text from analytics.events_log
           where batch_id = $1 and deleted_at is null and event_id not in (${open})) l) as live,
       (select jsonb_build_array(count(*), md5(string_agg(l::text, e'\\n' order by l::text))) from (
          select event_id, source_file, line_no from analytics.backfill_lineage where batch_id = $1) l) as lineage,
       (select jsonb_build_array(count(*), md5(string_agg(r::text, e'\\n' order by r::text))) from (
          select event_id, source_file, line_no from analytics.backfill_event_checkpoint_raw
           where batch_id = $1) r) as accepted,
       (select jsonb_build_array(count(*), md5(string_agg(q::text, e'\\n' order by q::text))) from (
          select source_file, line_no, reason from analytics.backfill_quarantine where batch_id = $1) q) as quarantine,
       (select jsonb_agg(p order by p) from (
          select gate, threshold, observed, passed from analytics.backfill_gate_results where batch_id = $1) p) as gates`,
    [batchId],
  );
  const { rows: claimed } = await keys.query<{ keys: unknown }>(
    `select jsonb_build_array(count(*), md5(string_agg(k::text, e'\\n' order by k::text))) as keys from (
       select event_id from analytics.backfill_event_checkpoint where batch_id = $1 and event_id not in (${open})) k`,
    [batchId],
  );
  return { ...rows[0], ...claimed[0] };
}
