import { listGateResults } from '@backfill/core/db/queries/gate-result-list';
import { listStagedSamples } from '@backfill/core/db/queries/staged-sample-list';
import { archiveLayout } from '@backfill/core/storage/layout';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventLine, WINDOW } from '../support/app-events.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';

// Batches of so few events that the sample has them all: whatever is wrong with one of them, the gate must see it.
const EVENTS = 12;
const SPARE_LINE = EVENTS + 1;

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await startPipeline();
  await pipeline.config.editPolicy((policy) => {
    Object.assign(policy.gates.default, { duplicate_ratio: 1, max_overlap: 1, schema: 1 });
  });
});
afterAll(() => pipeline.dispose());

const linesFrom = (first: number) => [
  ...Array.from({ length: EVENTS }, (_, at) => eventLine(first + at)),
  // Filtered: a line that no event comes of.
  eventLine(first).replace('Page Viewed', 'Heartbeat'),
];
const textOf = (lines: string[]) => lines.map((line) => `${line}\n`).join('');

async function run(batchId: string, first: number): Promise<void> {
  await pipeline.upload(batchId, { 'logs/a.ndjson': textOf(linesFrom(first)) });
  await pipeline.submit({ batchId, source: 'app', window: WINDOW });
  await pipeline.rest(batchId, ['awaiting_publish_approval']);
}

async function sampleGate(batchId: string) {
  const gates = await listGateResults(pipeline.sql, [batchId]);
  const gate = gates.find(({ gate: name }) => name === 'sample');
  if (gate === undefined) throw new Error('there is no gate sample');
  return { ...gate, failed: gates.filter(({ passed }) => !passed).map(({ gate: name }) => name) };
}

/** Changes rows as somebody could who owns the database, behind every trigger. */
async function tamper(batchId: string, statement: string): Promise<void> {
  const client = await pipeline.sql.connect();
  try {
    await client.query('begin; set local session_replication_role = replica');
    expect((await client.query(statement, [batchId])).rowCount).toBe(1);
    await client.query('commit');
  } finally {
    client.release();
  }
}

async function verifyAgain(batchId: string) {
  await pipeline.change(batchId, 'awaiting_publish_approval', 'verifying');
  await pipeline.rest(batchId, ['awaiting_publish_approval', 'gates_failed']);
  return sampleGate(batchId);
}

const VICTIM = `(select min(event_id) from analytics.events_backfill_staging where batch_id = $1)`;

describe('the gate sample', () => {
  it('finds every event as its line gives it, the same ones each time', async () => {
    await run('untouched', 0);
    const gate = await sampleGate('untouched');
    expect(gate).toMatchObject({ passed: true, threshold: 0, observed: 0, failed: [] });
    expect(gate.detail).toMatchObject({ rows: EVENTS, asked: EVENTS, sampled: EVENTS, mismatches: 0, files: 1 });
    expect(gate.detail).toMatchObject({ files_present: 1, types: 1, types_present: 1, strata: 1, strata_present: 1 });
    expect(gate.detail.note).toBe('drawn: 1 of 1 event types, 1 of 1 files, 1 of 1 types in files');
    expect((await verifyAgain('untouched')).detail.samples).toEqual(gate.detail.samples);
  });

  it('names the files that have no event in it, and has as many as the policy lets it', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 65 }, (_, at) => [`${String(at).padStart(2, '0')}.ndjson`, `${eventLine(5_000 + at)}\n`]),
    );
    const drawn = async (batchId: string) => {
      await pipeline.upload(batchId, files);
      await pipeline.submit({ batchId, source: 'app', window: WINDOW });
      await pipeline.rest(batchId, ['awaiting_publish_approval']);
      const { detail } = await sampleGate(batchId);
      await pipeline.change(batchId, 'awaiting_publish_approval', 'rolling_back');
      await pipeline.rest(batchId, ['rolled_back']);
      return detail;
    };
    expect(await drawn('many-files')).toMatchObject({
      note: 'drawn: 1 of 1 event types, 60 of 65 files, 60 of 65 types in files',
      ...{ asked: 60, sampled: 60, files: 60, files_present: 65, undrawn_types: [] },
      undrawn_files: expect.toSatisfy((names: string[]) => names.length === 5 && names.every((name) => name in files)),
    });
    await pipeline.config.editPolicy((policy) => {
      policy.gates.default.max_sample_events = 100;
    });
    expect(await drawn('more-files')).toMatchObject({ files: 65, undrawn_files: [], max_events: 100 });
  });

  it('traces an event that somebody else has taken over since it was drawn', async () => {
    await run('contested', 500);
    const { rows } = await pipeline.sql.query<{ event_id: string }>(
      `select event_id from analytics.events_backfill_staging where batch_id = 'contested' order by event_id`,
    );
    const ids = rows.map(({ event_id }) => event_id);
    const drawn = await listStagedSamples(pipeline.sql, 'contested', ids);
    expect(drawn).toHaveLength(EVENTS);
    await pipeline.sql.query('insert into analytics.backfill_losers (loser_batch_id, event_id) values ($1, $2)', [
      'contested',
      ids[0],
    ]);
    expect(await listStagedSamples(pipeline.sql, 'contested', ids)).toEqual(drawn);
  });

  it.each([
    ['schema_version', "schema_version = '9-9-9'"],
    ['event_name', "event_name = 'signup_started'"],
    ['session_id', "session_id = 'somebody else'"],
    ['subject_id', "subject_id = 'somebody else'"],
  ])('finds a changed %s', async (column, change) => {
    const batchId = `changed-${column.replace('_', '-')}`;
    await run(batchId, 1_000 + batchId.length * 100);
    await tamper(
      batchId,
      `update analytics.events_backfill_staging set ${change} where batch_id = $1 and event_id = ${VICTIM}`,
    );
    const gate = await verifyAgain(batchId);
    expect(gate).toMatchObject({ passed: false, observed: 1 });
    expect(gate.detail.examples).toMatchObject([{ source_file: 'logs/a.ndjson' }]);
    const [example] = gate.detail.examples as { problems: string[] }[];
    expect(example?.problems).toContain(`${column} is another one`);
    expect(JSON.stringify(gate.detail)).not.toContain('somebody else');
  });

  it.each([
    ['the line of another event', 'the line is filtered, no event', SPARE_LINE],
    ['a line that the mirror does not have', 'the lineage has no line of its part for it', 900],
  ])('finds lineage that points to %s', async (what, problem, line) => {
    const batchId = `lineage-${line}`;
    await run(batchId, 5_000 + line * 100);
    await tamper(
      batchId,
      `update analytics.backfill_lineage set line_no = ${line} where batch_id = $1 and event_id = ${VICTIM}`,
    );
    const gate = await verifyAgain(batchId);
    expect([what, gate.failed]).toEqual([what, ['balance', 'sample']]);
    expect(gate.detail.examples).toMatchObject([{ problems: [problem] }]);
    expect(gate.detail.why).toMatch('1 of 12 sampled events');
  });

  it('finds a line of the mirror that was changed', async () => {
    await run('mirror', 200_000);
    const { store, config } = pipeline.runtime;
    const changed = linesFrom(200_000).with(3, eventLine(200_900));
    const key = archiveLayout.mirrorObject('mirror', 'logs/a.ndjson');
    await store.put(config.storage.archiveBucket, key, Buffer.from(textOf(changed)), 'text/plain');
    const gate = await verifyAgain('mirror');
    expect(gate).toMatchObject({ passed: false, observed: 1 });
    expect(gate.detail.examples).toMatchObject([
      { line_no: 4, problems: expect.arrayContaining(['payload is another one']) },
    ]);
  });

  it('does not show anybody who was suppressed since', async () => {
    await run('suppressed', 300_000);
    await pipeline.sql.query(
      `insert into analytics.privacy_suppressions (subject_id, reason, effective_from)
       select subject_id, 'erasure', now() from analytics.events_backfill_staging where batch_id = 'suppressed' limit 1`,
    );
    const gate = await verifyAgain('suppressed');
    await pipeline.sql.query('delete from analytics.privacy_suppressions');
    // All events of the batch are of one person.
    expect(gate.detail).toMatchObject({ rows: 0, asked: 0, sampled: 0 });
    expect(gate.passed).toBe(true);
  });
});
