import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventLine, WINDOW } from '../support/app-events.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';

// The recount reads the mirror by itself: books that balance and ids that fit do not satisfy it.
let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await startPipeline();
  await pipeline.config.editPolicy((policy) => {
    Object.assign(policy.gates.default, { duplicate_ratio: 1, max_overlap: 1 });
  });
});
afterAll(() => pipeline.dispose());

/** Imports thirty events that no other test has, and a bad line. */
async function run(batchId: string, first: number): Promise<void> {
  const lines = [...Array.from({ length: 30 }, (_, at) => eventLine(first + at)), 'not json'];
  await pipeline.upload(batchId, { 'a.ndjson': lines.map((line) => `${line}\n`).join('') });
  await pipeline.submit({ batchId, source: 'app', window: WINDOW });
  await pipeline.rest(batchId, ['awaiting_publish_approval']);
}

/** Changes rows as somebody could who owns the database, behind every trigger, and has the batch verified again. */
async function verifyAfter(batchId: string, ...statements: string[]) {
  const client = await pipeline.sql.connect();
  try {
    await client.query('begin; set local session_replication_role = replica');
    for (const statement of statements) await client.query(statement, [batchId]);
    await client.query('commit');
  } finally {
    client.release();
  }
  await pipeline.change(batchId, 'awaiting_publish_approval', 'verifying');
  const batch = await pipeline.rest(batchId, ['awaiting_publish_approval', 'gates_failed']);
  const { rows } = await pipeline.sql.query<{ gate: string }>(
    `select gate from analytics.backfill_gate_results r
      where batch_id = $1 and not passed
        and run_no = (select max(run_no) from analytics.backfill_gate_results where batch_id = $1) order by gate`,
    [batchId],
  );
  return { status: batch.status, failed: rows.map(({ gate }) => gate) };
}

/** The batch's last new event and where it came from. */
const VICTIM = `victim as (
  select s.event_id, s.part_id, l.source_file, l.line_no, s.payload::text as payload
    from analytics.events_backfill_staging s join analytics.backfill_lineage l using (batch_id, event_id)
   where s.batch_id = $1 and not s.is_duplicate order by s.event_id desc limit 1)`;

describe('the gate recount', () => {
  it('passes what nobody touched, and what a person in it was suppressed after', async () => {
    await run('untouched', 0);
    expect(await verifyAfter('untouched')).toEqual({ status: 'awaiting_publish_approval', failed: [] });
    await pipeline.sql.query(
      `insert into analytics.privacy_suppressions (subject_id, reason, effective_from)
       select subject_id, 'erasure', now() from analytics.events_backfill_staging
        where batch_id = 'untouched' and subject_id is not null limit 1`,
    );
    expect(await verifyAfter('untouched')).toEqual({ status: 'awaiting_publish_approval', failed: [] });
    await pipeline.sql.query('delete from analytics.privacy_suppressions');
  });

  it('finds an event that was taken out of all tables and booked as filtered', async () => {
    await run('dropped', 100);
    const found = await verifyAfter(
      'dropped',
      `with ${VICTIM},
            staged as (delete from analytics.events_backfill_staging s using victim v
                        where s.batch_id = $1 and s.event_id = v.event_id),
            traced as (delete from analytics.backfill_lineage l using victim v
                        where l.batch_id = $1 and l.source_file = v.source_file and l.line_no = v.line_no),
            accepted as (delete from analytics.backfill_event_checkpoint_raw r using victim v
                          where r.batch_id = $1 and r.source_file = v.source_file and r.line_no = v.line_no)
       update analytics.backfill_import_parts p
          set event_count = event_count - 1, inserted = inserted - 1, filtered = filtered + 1
         from victim v where p.part_id = v.part_id`,
    );
    expect(found).toEqual({ status: 'gates_failed', failed: ['recount'] });
  });

  it('finds an event that was exchanged for another one in all tables', async () => {
    await run('exchanged', 200);
    const found = await verifyAfter(
      'exchanged',
      `with ${VICTIM}, other as (
         select v.*, analytics.event_id(s.source, s.event_ts, replace(v.payload, '"record_id":"', '"record_id":"x')::json) as other_id,
                replace(v.payload, '"record_id":"', '"record_id":"x') as other_payload
           from victim v join analytics.events_backfill_staging s on s.batch_id = $1 and s.event_id = v.event_id),
            staged as (update analytics.events_backfill_staging s set event_id = o.other_id, payload = o.other_payload::json
                         from other o where s.batch_id = $1 and s.event_id = o.event_id),
            traced as (update analytics.backfill_lineage l set event_id = o.other_id
                         from other o where l.batch_id = $1 and l.source_file = o.source_file and l.line_no = o.line_no)
       update analytics.backfill_event_checkpoint_raw r set event_id = o.other_id
         from other o where r.batch_id = $1 and r.source_file = o.source_file and r.line_no = o.line_no`,
    );
    // The sample may hold the event too, which is not what its line gives.
    expect(found).toEqual({ status: 'gates_failed', failed: expect.arrayContaining(['recount']) });
  });

  it('finds a bad line that is not in quarantine any more', async () => {
    await run('hidden', 300);
    const found = await verifyAfter(
      'hidden',
      `with gone as (delete from analytics.backfill_quarantine where batch_id = $1 returning source_file, line_no)
       update analytics.backfill_import_parts p set quarantined = quarantined - g.n, filtered = filtered + g.n
         from (select f.file_no, count(*) as n, min(line_no) as line from gone
                 join analytics.backfill_files f on f.batch_id = $1 and f.source_file = gone.source_file group by 1) g
        where p.batch_id = $1 and p.file_no = g.file_no and g.line between p.first_line and p.first_line + p.line_count - 1`,
    );
    expect(found).toEqual({ status: 'gates_failed', failed: ['recount'] });
  });
});
