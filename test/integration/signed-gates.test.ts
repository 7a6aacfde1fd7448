import { afterAll, beforeAll, expect, it } from 'vitest';
import { accessLog } from '../support/access-log.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { runBatch } from '../support/run-batch.ts';

// What people signed is what they saw: whoever edits a stored result behind every trigger stops the publish.
let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await startPipeline();
});
afterAll(() => pipeline.dispose());

let firstLine = 0;

async function verified(batchId: string): Promise<void> {
  firstLine += 1_000;
  const { status } = await runBatch(pipeline, batchId, { 'a.log': accessLog(firstLine, firstLine + 20) });
  expect(status).toBe('awaiting_publish_approval');
}

/** Runs a statement as whoever owns the database can. */
async function tamper(batchId: string, statement: string): Promise<void> {
  const client = await pipeline.sql.connect();
  try {
    await client.query('begin; set local session_replication_role = replica');
    expect((await client.query(statement, [batchId])).rowCount).toBeGreaterThan(0);
    await client.query('commit');
  } finally {
    client.release(true);
  }
}

async function list(statement: string, batchId: string): Promise<unknown[]> {
  const { rows } = await pipeline.sql.query({ text: statement, values: [batchId], rowMode: 'array' });
  return rows.flat();
}

const RESULTS = 'analytics.backfill_gate_results';
const result = (set: string) => `update ${RESULTS} set ${set} where batch_id = $1 and gate = 'overlap'`;
const batch = (set: string) => `update analytics.backfill_batches set ${set} where batch_id = $1`;

it.each([
  ['threshold', result('threshold = 0.5')],
  ['observed', result('observed = 0.0001')],
  ['procedure', result(`procedure = 'select 0'`)],
  ['detail', result(`detail = detail || '{"live": 0.5}'`)],
  ['dropped', `delete from ${RESULTS} where batch_id = $1 and gate = 'overlap'`],
  [
    'added',
    `insert into ${RESULTS} (batch_id, attempt, run_no, gate, threshold, observed, passed, procedure)
       select batch_id, attempt, run_no, 'extra', 0, 0, true, '' from ${RESULTS} where batch_id = $1 and gate = 'overlap'`,
  ],
  ['digest', batch(`rows_digest = repeat('0', 64)`)],
  ['hash', batch(`gate_set_hash = repeat('0', 64)`)],
])('measures again where what was signed was edited since: %s', async (what, statement) => {
  await verified(what);
  const signed = await list(`select gate_set_hash from analytics.backfill_batches where batch_id = $1`, what);
  await tamper(what, statement);
  await pipeline.change(what, 'awaiting_publish_approval', 'publishing');
  await pipeline.rest(what, ['awaiting_publish_approval', 'published', 'failed', 'halted', 'gates_failed']);
  const incidents = `select kind from analytics.backfill_incidents where batch_id = $1`;
  expect(await list(incidents, what)).toEqual(['signed_results_changed']);
  expect(await list(`select outcome from analytics.backfill_publishes where batch_id = $1`, what)).toEqual([
    'sent_back',
  ]);
  // The signatures hold again when they are about what is there.
  expect(await list(`select gate_set_hash from analytics.backfill_batches where batch_id = $1`, what)).toEqual(signed);
  await pipeline.change(what, 'awaiting_publish_approval', 'publishing');
  expect((await pipeline.rest(what, ['published', 'verifying', 'failed'])).status).toBe('published');
});

it('does not publish by a plan that nobody approved', async () => {
  await verified('plan');
  await tamper(
    'plan',
    `update analytics.backfill_plans set plan = jsonb_set(plan, '{policy,gates,max_overlap}', '1') where batch_id = $1`,
  );
  await pipeline.change('plan', 'awaiting_publish_approval', 'publishing');
  const { status, status_reason } = await pipeline.rest('plan', ['failed', 'published', 'halted']);
  expect([status, status_reason]).toEqual(['failed', 'publish: the stored plan is not the one that was approved']);
});

it('does not publish what was not signed, whoever gives the go', async () => {
  await pipeline.config.editPolicy(({ approvals }) => {
    approvals.publish = ['data_engineering_lead'];
  });
  await verified('unsigned');
  await pipeline.change('unsigned', 'awaiting_publish_approval', 'publishing');
  await pipeline.rest('unsigned', ['awaiting_publish_approval', 'published']);
  const reasons = `select detail ->> 'reason' from analytics.backfill_audit_log
                    where batch_id = $1 and action = 'status' and detail ->> 'from' = 'publishing'`;
  expect(await list(reasons, 'unsigned')).toEqual(['publish approvals are missing: data_engineering_lead']);
});
