import type pg from 'pg';
import { batchDigest, type QueryRunner } from '../support/digest.ts';
import { waitFor } from '../support/wait-for.ts';
import type { ChaosBatch } from './input.ts';
import { LIVE_EVENTS } from './live-writer.ts';
import { SIGNATURES } from './signatures.ts';
import type { Ask, World } from './world.ts';

const SETTLE_MS = 60_000;

/** The ids of events that live ingestion delivers too. */
const LIVE = `select event_id from ${LIVE_EVENTS}`;

/** What a run has left behind, in a form that is the same for runs with the same result. */
export type Outcome = Record<string, unknown>;

const ownersSql = (rows: string) => `
  select jsonb_build_array(count(*), md5(string_agg(event_id, e'\\n' order by event_id))) as events,
         md5(string_agg(r::text, e'\\n' order by event_id)) as owners
    from (${rows}) r`;

/** Which events have keys, and who has them by the keys and by the live rows, once every batch is published. */
async function readOwners(world: World): Promise<{ keys: unknown; byKeys: unknown; byRows: unknown }> {
  type Digests = { events: unknown; owners: unknown };
  const [keys] = await world.askKeys<Digests>(
    ownersSql(`select event_id, batch_id from analytics.backfill_event_checkpoint where event_id not in (${LIVE})`),
  );
  const [rows] = await world.ask<Digests>(
    ownersSql(`select event_id, batch_id from analytics.events where event_id not in (${LIVE})`),
  );
  return { keys: keys?.events, byKeys: keys?.owners, byRows: rows?.owners };
}

/** What all batches together have left: whichever of several that deliver an event has it, somebody does, once. */
async function sharedOutcome(world: World): Promise<Outcome> {
  const [row] = await world.ask<Outcome>(
    `select
       (select jsonb_build_array(count(*), md5(string_agg(s::text, e'\\n' order by s::text))) from (
          select distinct event_id, source, event_name, schema_version, event_ts, session_id, subject_id, payload::text
            from analytics.events_backfill_staging
           where not is_duplicate and event_id not in (${LIVE})) s) as new_rows,
       (select jsonb_build_array(count(*), md5(string_agg(l::text, e'\\n' order by l::text))) from (
          select event_id, event_ts, payload::text from analytics.events) l) as live,
       (select jsonb_agg(b order by b) from (
          select batch_id, sum(line_count) as read, sum(inserted + duplicate_same_batch + duplicate_other_batch
                 + duplicate_live) as accepted, sum(suppressed) as suppressed, sum(expired) as expired,
                 sum(filtered) as filtered, sum(quarantined) as quarantined
            from analytics.backfill_import_parts group by batch_id) b) as balance`,
  );
  return { ...row, keys: (await readOwners(world)).keys };
}

const asDatabase = (ask: Ask): QueryRunner => ({
  query: async <Row extends pg.QueryResultRow>(sql: string, values: unknown[]) => ({
    rows: await ask<Row>(sql, values),
  }),
});

/** Digests per batch, without what depends on the order in which batches with the same events came. */
export async function readOutcome(world: World, batches: readonly ChaosBatch[]): Promise<Outcome> {
  const outcome: Outcome = { together: await sharedOutcome(world) };
  const sharing = new Set(batches.slice(-2));
  for (const batch of batches) {
    const digest = await batchDigest(asDatabase(world.ask), batch.batchId, asDatabase(world.askKeys), LIVE);
    const { lineage, accepted, quarantine } = digest;
    outcome[batch.batchId] = sharing.has(batch) ? { lineage, accepted, quarantine } : { ...digest, gates: undefined };
  }
  return outcome;
}

/** Each query lists what may not be there, whatever has happened. */
const FORBIDDEN: Readonly<Record<string, string>> = {
  'events of live ingestion that are not live': `
    select event_id from ${LIVE_EVENTS} except select event_id from analytics.events`,
  'batches that went on without a signature': `
    select b.batch_id, s.stage, s.role
      from analytics.backfill_batches b,
           (values ${Object.entries(SIGNATURES)
             .flatMap(([stage, roles]) => roles.map((role) => `('${stage}', '${role}')`))
             .join(', ')}) as s (stage, role)
     where b.status = 'published' and not exists (
       select 1 from analytics.backfill_approvals a
        where a.batch_id = b.batch_id and a.attempt = b.attempt and a.stage = s.stage and a.role = s.role
          and a.decision = 'approve' and a.bound_hash = case s.stage when 'run' then b.plan_hash else b.gate_set_hash end)`,
  'events that are live twice': `select event_id from analytics.events group by event_id having count(*) > 1`,
  'events with two new rows in a batch': `
    select batch_id, event_id from analytics.events_backfill_staging where not is_duplicate
     group by 1, 2 having count(*) > 1`,
  'lines that were staged twice': `
    select batch_id, count(*) as staged, (select count(*) from analytics.backfill_event_checkpoint_raw r
                                           where r.batch_id = s.batch_id) as accepted
      from analytics.events_backfill_staging s group by batch_id
    having count(*) > (select count(*) from analytics.backfill_event_checkpoint_raw r where r.batch_id = s.batch_id)`,
  'published batches whose live rows are not what was booked': `
    select b.batch_id, b.row_count from analytics.backfill_batches b
     where b.status = 'published'
       and (b.row_count is distinct from (select count(*) from analytics.events e where e.batch_id = b.batch_id)
         or b.row_count is distinct from (select sum(p.inserted) from analytics.backfill_import_parts p
                                           where p.batch_id = b.batch_id))`,
  'files whose lines do not all have one outcome': `
    select f.batch_id, f.source_file, f.line_count, sum(p.line_count) as accounted
      from analytics.backfill_files f left join analytics.backfill_import_parts p using (batch_id, file_no)
     group by f.batch_id, f.file_no having sum(p.line_count) is distinct from f.line_count`,
  'attempts without one complete verification': `
    select b.batch_id, a.attempt from analytics.backfill_batches b, generate_series(1, b.attempt) as a (attempt)
     where not exists (select 1 from analytics.backfill_gate_results g
                        where g.batch_id = b.batch_id and g.attempt = a.attempt and g.gate = 'balance')`,
  // Results commit before the report is written and the status changes. A verifier that dies in between measures again,
  // under the next run number; what it finds must be the same.
  'verifications of one attempt that differ': `
    select batch_id, attempt, count(distinct found) from (
      select batch_id, attempt, run_no,
             jsonb_agg(jsonb_build_array(gate, threshold, observed, passed) order by gate) as found
        from analytics.backfill_gate_results
       -- What live ingestion has may grow between two measurements, and what another batch has when that is published:
       -- who has an event, and the latest of the window.
       where gate not in ('duplicates', 'overlap', 'freshness') group by batch_id, attempt, run_no) runs
     group by batch_id, attempt having count(distinct found) > 1`,
  'gates that failed': `
    select batch_id, attempt, run_no, gate, observed, detail from analytics.backfill_gate_results where not passed`,
  'rollbacks that are not proven once per undone attempt': `
    select b.batch_id, count(r.*) from analytics.backfill_batches b left join analytics.backfill_rollbacks r using (batch_id)
     group by b.batch_id, b.attempt
    having count(*) filter (where r.live_rows_after + r.keys_after = 0) <> b.attempt - 1 or count(r.*) <> b.attempt - 1`,
  incidents: `select batch_id, kind, summary from analytics.backfill_incidents`,
  'publishes that were not counted, or not as they were written': `
    select p.batch_id, p.step, p.outcome, p.published, p.counted from analytics.backfill_publishes p
     where p.outcome is distinct from 'sent_back'
       and (p.outcome is null or p.step <> 'done' or p.counted is distinct from p.published or p.snapshot_path is null)`,
  'open freezes': `select batch_id from analytics.backfill_freezes where lifted_at is null`,
  'open chunks': `select batch_id, chunk_id from analytics.backfill_raw_chunks where state = 'open'`,
  'open parts': `select batch_id, part_id from analytics.backfill_import_parts where state = 'ready'`,
  'work in the outbox': `select job_id from analytics.backfill_outbox`,
  'prepared transactions in doubt': `select gid from pg_prepared_xacts`,
};

const UNFINISHED = `
  select job_id from analytics.backfill_outbox
  union all select gid from pg_prepared_xacts
  union all select batch_id from analytics.backfill_rollbacks where keys_freed is null
  limit 1`;

/**
 * Waits until the last reports are written, and then lists every way in which the run went wrong: what differs from an
 * undisturbed one, and what no run may leave.
 */
export async function findProblems(
  world: World,
  batches: readonly ChaosBatch[],
  undisturbed: Outcome,
): Promise<string[]> {
  // What is not over then is found below.
  await waitFor(
    'everything to be over',
    async () => ((await world.ask(UNFINISHED)).length === 0 ? true : undefined),
    SETTLE_MS,
  ).catch(() => undefined);
  const problems: string[] = [];
  const { byKeys, byRows } = await readOwners(world);
  if (byKeys !== byRows) problems.push('the keys say otherwise than the live rows who has which event');
  for (const [what, sql] of Object.entries(FORBIDDEN)) {
    const rows = await world.ask(sql);
    if (rows.length > 0) problems.push(`${what}: ${rows.length}, such as ${JSON.stringify(rows[0])}`);
  }
  const outcome = await readOutcome(world, batches);
  for (const [part, expected] of Object.entries(undisturbed)) {
    if (JSON.stringify(outcome[part]) !== JSON.stringify(expected)) {
      problems.push(`${part} differs: ${JSON.stringify(outcome[part])} instead of ${JSON.stringify(expected)}`);
    }
  }
  return problems;
}
