import type { HaltWorld } from './halt-world.ts';

/** Each query lists what stands there by halves. The batch is the only one of its database. */
const HALVES: Readonly<Record<string, string>> = {
  'plans without their files and chunks, or the other way round': `
    select plans, files, chunks from (
      select (select count(*) from analytics.backfill_plans) as plans,
             (select count(*) from analytics.backfill_files) as files,
             (select count(*) from analytics.backfill_raw_chunks) as chunks) n
     where not (plans = 0 and files = 0 and chunks = 0) and not (plans > 0 and files > 0 and chunks > 0)`,
  'parts without all of their rows, keys and lineage, or with some too early': `
    with staged as (select part_id, count(*) as n from analytics.events_backfill_staging group by 1),
         claimed as (select part_id, count(*) as n from analytics.backfill_event_checkpoint group by 1)
    select p.part_id, p.state, p.event_count, s.n as staged, k.n as claimed, l.n as traced
      from analytics.backfill_import_parts p
      join analytics.backfill_files f using (batch_id, file_no)
      left join staged s using (part_id) left join claimed k using (part_id)
      cross join lateral (
        select count(*) as n from analytics.backfill_lineage l
         where l.batch_id = p.batch_id and l.source_file = f.source_file
           and l.line_no >= p.first_line and l.line_no < p.first_line + p.line_count) l
     where (coalesce(s.n, 0), coalesce(k.n, 0), l.n)
           is distinct from case p.state when 'imported' then (p.event_count, p.inserted, p.event_count)
                                         else (0::bigint, 0::bigint, 0::bigint) end`,
  'rows, keys or lineage of no part': `
    select 'staged' as what, count(*) from analytics.events_backfill_staging
      where part_id not in (select part_id from analytics.backfill_import_parts) having count(*) > 0
    union all
    select 'claimed', count(*) from analytics.backfill_event_checkpoint
      where part_id is null or part_id not in (select part_id from analytics.backfill_import_parts) having count(*) > 0
    union all
    select 'traced', count(*) from analytics.backfill_lineage
     having count(*) <> (select coalesce(sum(event_count), 0) from analytics.backfill_import_parts where state = 'imported')`,
  'registered parts without all of their accepted and quarantined lines': `
    select 'accepted' as what, count(*) from analytics.backfill_event_checkpoint_raw
     having count(*) <> (select coalesce(sum(event_count), 0) from analytics.backfill_import_parts)
    union all
    select 'quarantined', count(*) from analytics.backfill_quarantine
     having count(*) <> (select coalesce(sum(quarantined), 0) from analytics.backfill_import_parts)`,
  'chunks that are done without all of their lines': `
    select c.chunk_id, c.line_count, sum(p.line_count) as registered
      from analytics.backfill_raw_chunks c left join analytics.backfill_import_parts p using (chunk_id)
     where c.state = 'done' group by c.chunk_id having c.line_count is distinct from sum(p.line_count)`,
  'parts that leave lines out or share them': `
    select part_id from (
      select part_id, first_line, 1 + coalesce(sum(line_count) over (
               partition by chunk_id order by part_no rows between unbounded preceding and 1 preceding), 0) as expected
        from analytics.backfill_import_parts) p where first_line <> expected`,
  'verifications by halves': `
    select attempt, run_no, count(*) from analytics.backfill_gate_results group by 1, 2
    having count(*) <> (select count(distinct gate) from analytics.backfill_gate_results)`,
  'live rows of a batch whose rows are not live, or too few of one whose are': `
    select b.status, b.rows_live, p.published, count(l.*) from analytics.backfill_batches b
      left join analytics.backfill_publishes p on p.batch_id = b.batch_id and p.outcome is null
      left join analytics.events_log l on l.batch_id = b.batch_id and l.deleted_at is null
     group by b.batch_id, p.published
    having count(l.*) <> case when b.rows_live then coalesce(p.published, b.row_count) else 0 end`,
};

/** Everything that is there by halves. */
export async function findHalves({ sql }: HaltWorld): Promise<string[]> {
  const found: string[] = [];
  for (const [what, query] of Object.entries(HALVES)) {
    const { rows } = await sql.query(query);
    if (rows.length > 0) found.push(`${what}: ${rows.length}, such as ${JSON.stringify(rows[0])}`);
  }
  return found;
}
