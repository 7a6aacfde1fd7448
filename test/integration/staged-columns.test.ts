import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventLine, WINDOW } from '../support/app-events.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';

// No column of a staged row is believed: whatever somebody changes who owns the database turns a gate red.
let pipeline: Pipeline;
beforeAll(async () => {
  // Two parts of each file.
  pipeline = await startPipeline({ env: { TRANSFORMER_PART_LINES: '6' } });
  await pipeline.config.editPolicy((policy) => {
    Object.assign(policy.gates.default, { duplicate_ratio: 1, max_overlap: 1, schema: 0 });
  });
  // Whoever owns the table can do this too.
  await pipeline.sql.query(
    'alter table analytics.events_backfill_staging drop constraint events_backfill_staging_identity',
  );
});
afterAll(() => pipeline.dispose());

const AT_ONCE = 4;

/** Imports ten events, one of them twice. */
async function run(batchId: string, first: number): Promise<void> {
  const lines = [...Array.from({ length: 10 }, (_, at) => eventLine(first + at)), eventLine(first)];
  await pipeline.upload(batchId, { 'a.ndjson': lines.map((line) => `${line}\n`).join('') });
  await pipeline.submit({ batchId, source: 'app', window: WINDOW });
  await pipeline.rest(batchId, ['awaiting_publish_approval']);
}

/** The gates that fail when a statement has run behind every trigger. */
async function failedAfter(batchId: string, statement: string): Promise<string[]> {
  const client = await pipeline.sql.connect();
  try {
    await client.query('begin; set local session_replication_role = replica');
    const { rowCount } = await client.query(statement, [batchId]);
    expect(rowCount).toBeGreaterThan(0);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
  await pipeline.change(batchId, 'awaiting_publish_approval', 'verifying');
  await pipeline.rest(batchId, ['awaiting_publish_approval', 'gates_failed']);
  const { rows } = await pipeline.sql.query<{ gate: string }>(
    `select gate from analytics.backfill_gate_results r
      where batch_id = $1 and not passed
        and run_no = (select max(run_no) from analytics.backfill_gate_results where batch_id = $1) order by gate`,
    [batchId],
  );
  return rows.map(({ gate }) => gate);
}

/** The last new event of batch $1. */
const LAST = `(select event_id from analytics.events_backfill_staging
                where batch_id = $1 and not is_duplicate order by event_id desc limit 1)`;
/** The first new event of batch $1. */
const FIRST = LAST.replace(' desc', '');
const change = (set: string) =>
  `update analytics.events_backfill_staging s set ${set} where batch_id = $1 and event_id = ${LAST}`;

/** What is done to a batch of that name, and a gate that must notice. */
const CHANGES: [what: string, statement: string, gate: string][] = [
  ['event-name', change(`event_name = 'page_left'`), 'identity'],
  ['version', change(`schema_version = '9-0-0'`), 'identity'],
  ['session', change(`session_id = 'another'`), 'identity'],
  ['subject', change(`subject_id = null`), 'identity'],
  ['time', change(`event_ts = event_ts + interval '1 ms'`), 'identity'],
  ['source', change(`source = 'web'`), 'identity'],
  ['payload', change(`payload = replace(payload::text, 'page', 'cage')::json`), 'identity'],
  [
    'fitting-id',
    change(`payload = replace(payload::text, '"record_id":"', '"record_id":"x')::json,
              event_id = analytics.event_id(source, event_ts, replace(payload::text, '"record_id":"', '"record_id":"x')::json)`),
    'recount',
  ],
  ['flag', change(`is_duplicate = true, duplicate_kind = 'live'`), 'identity'],
  ['repeat', change(`is_duplicate = true, duplicate_kind = 'same_batch'`), 'identity'],
  [
    'second-new',
    `update analytics.events_backfill_staging set is_duplicate = false, duplicate_kind = null
        where batch_id = $1 and is_duplicate`,
    'identity',
  ],
  ['dropped', `delete from analytics.events_backfill_staging where batch_id = $1 and event_id = ${LAST}`, 'recount'],
  [
    'doubled',
    `insert into analytics.events_backfill_staging
       select * from analytics.events_backfill_staging where batch_id = $1 and event_id = ${LAST}`,
    'recount',
  ],
  [
    'swapped-parts',
    `update analytics.events_backfill_staging s set part_id = other.part_id
       from analytics.events_backfill_staging other
      where s.batch_id = $1 and other.batch_id = $1 and not s.is_duplicate and not other.is_duplicate
        and ((s.event_id = ${FIRST} and other.event_id = ${LAST}) or (s.event_id = ${LAST} and other.event_id = ${FIRST}))
        and s.part_id <> other.part_id`,
    'recount',
  ],
  [
    'kind-in-the-books',
    `update analytics.backfill_import_parts
        set duplicate_same_batch = duplicate_same_batch - 1, duplicate_live = duplicate_live + 1
      where batch_id = $1 and duplicate_same_batch > 0`,
    'balance',
  ],
  [
    'traced-elsewhere',
    `update analytics.backfill_lineage l set event_id = ${LAST}
        where batch_id = $1 and line_no = 1`,
    'balance',
  ],
];

describe('a staged row', () => {
  const failed = new Map<string, string[]>();
  beforeAll(async () => {
    // A few at once: one after the other would take long, and all at once make each wait for all others.
    for (let first = 0; first < CHANGES.length; first += AT_ONCE) {
      await Promise.all(
        CHANGES.slice(first, first + AT_ONCE).map(async ([what, statement], index) => {
          await run(what, (first + index) * 100);
          failed.set(what, await failedAfter(what, statement));
        }),
      );
    }
  }, 180_000);

  it.each(CHANGES)('that was changed (%s) turns a gate red', (what, _statement, gate) => {
    expect(failed.get(what)).toContain(gate);
  });
});
