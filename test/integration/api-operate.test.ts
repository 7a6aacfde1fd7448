import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApi, type TestApi } from '../support/api.ts';
import { createApiBatches } from '../support/api-batches.ts';

let api: TestApi;
let batches: ReturnType<typeof createApiBatches>;
beforeAll(async () => {
  api = await startApi();
  batches = createApiBatches(api);
});
afterAll(() => api?.dispose());

const post = (batchId: string, action: string, body?: unknown) =>
  api.call('POST', `/v1/batches/${batchId}/${action}`, 'operator', body);

it('halts once, and resumes', async () => {
  await batches.submit('halt-1');
  const halted = await post('halt-1', 'halt', { reason: 'coffee' });
  expect(halted.json).toMatchObject({
    status: 'halted',
    status_reason: 'halted by operator: coffee',
    resume_status: 'submitted',
  });
  expect((await post('halt-1', 'halt')).json.status_reason).toBe('halted by operator: coffee');
  const resumed = await post('halt-1', 'resume', {});
  expect([resumed.status, resumed.json.status]).toEqual([202, 'planning']);
  expect((await post('halt-1', 'resume')).status).toBe(409);
});

it('does not halt what has come to its end, and says what can be done instead', async () => {
  await batches.submit('halt-2');
  await api.sql.query(
    `begin; set local analytics.actor = 'test';
     update analytics.backfill_batches set status = 'failed' where batch_id = 'halt-2'; commit`,
  );
  const refused = await post('halt-2', 'halt');
  expect([refused.status, refused.json.detail]).toEqual([
    409,
    'The batch is failed and cannot be halted. Nothing works for it. ./backfill resume halt-2 goes on, once the cause is ' +
      'mended, and ./backfill rollback halt-2 gives it up.',
  ]);
  await expect(
    api.sql.query(`update analytics.backfill_batches set status = 'halted' where batch_id = 'halt-2'`),
  ).rejects.toMatchObject({ hint: expect.stringContaining('./backfill resume halt-2 goes on') });
});

it('publishes only what all the roles have approved as it was measured', async () => {
  await batches.verified('publish-1');
  await batches.approve('publish-1', 'data_engineering_lead', { stage: 'publish' });
  const refused = await post('publish-1', 'publish');
  expect([refused.status, refused.json.detail]).toEqual([409, expect.stringContaining('product_analytics_manager')]);
  await batches.approve('publish-1', 'product_analytics_manager', { stage: 'publish' });
  expect((await batches.show('publish-1')).status).toBe('awaiting_publish_approval');
  await batches.setGateSet('publish-1', 'other');
  expect((await post('publish-1', 'publish')).status).toBe(409);
  await batches.setGateSet('publish-1', 'gates-1');
  const published = await post('publish-1', 'publish');
  expect([published.status, published.json.status]).toEqual([202, 'publishing']);
  expect((await post('publish-1', 'publish')).status).toBe(200);
  expect(
    await api.count(
      `select count(*) from analytics.backfill_outbox where batch_id = $1 and kind = 'publish'`,
      'publish-1',
    ),
  ).toBe(1);
});

it('verifies again where there is something to verify', async () => {
  await batches.verified('verify-1');
  expect((await post('verify-1', 'verify')).json.status).toBe('verifying');
  await batches.submit('verify-2');
  expect((await post('verify-2', 'verify')).status).toBe(409);
});

it('asks for a rollback, and shows its proof once it is done', async () => {
  await batches.submit('rollback-1');
  expect((await post('rollback-1', 'rollback', { mode: 'undo' })).json.errors).toEqual([
    { path: 'mode', message: expect.stringContaining('"tombstone"|"window"|"snapshot"') },
  ]);
  const asked = await post('rollback-1', 'rollback', { mode: 'tombstone' });
  expect([asked.status, asked.json.status]).toEqual([202, 'rolling_back']);
  expect((await post('rollback-1', 'rollback', { mode: 'tombstone' })).status).toBe(202);
  await api.sql.query(`select analytics.tombstone_batch('rollback-1')`);
  const done = await post('rollback-1', 'rollback', { mode: 'tombstone' });
  expect([done.status, done.json.status]).toEqual([200, 'rolled_back']);
  expect(done.json.rollback).toMatchObject({
    ...{ mode: 'tombstone', live_rows_after: 0, keys_after: 0, jobs_after: 0, left_outside: 0, snapshot: null },
    ...{ others_before: '0:0', others_after: '0:0', others_recent: 0 },
  });
  // The window is without the batch too; a snapshot was not restored.
  expect((await post('rollback-1', 'rollback', { mode: 'window' })).status).toBe(200);
  const refused = await post('rollback-1', 'rollback', { mode: 'snapshot' });
  expect([refused.status, refused.json.detail]).toEqual([
    409,
    'The batch was rolled back already, by the mode tombstone. resume starts it anew.',
  ]);
  expect((await post('rollback-1', 'halt')).status).toBe(409);
});

it('lets the last wish count while a batch is rolled back, and notes it', async () => {
  await batches.submit('rollback-2');
  for (const mode of ['snapshot', 'snapshot', 'window', 'tombstone', 'window']) {
    expect((await post('rollback-2', 'rollback', { mode })).status).toBe(202);
  }
  expect((await batches.show('rollback-2')).status_reason).toBe('window, asked for by operator');
  const { rows } = await api.sql.query<{ kind: string }>(
    `select kind from analytics.backfill_outbox where batch_id = 'rollback-2' order by 1`,
  );
  // Those of the other modes find that they are not wanted any more.
  expect(rows.map(({ kind }) => kind)).toEqual(['snapshot', 'tombstone', 'window']);
  expect(await auditOf('rollback-2', 'status', 'rollback_mode')).toEqual([
    {
      actor: 'operator',
      action: 'status',
      detail: expect.objectContaining({ reason: 'snapshot, asked for by operator' }),
    },
    ...[
      ['snapshot', 'window'],
      ['window', 'tombstone'],
      ['tombstone', 'window'],
    ].map(([from, to]) => ({
      actor: 'operator',
      action: 'rollback_mode',
      detail: { from, to, attempt: 1, request_id: expect.any(String) },
    })),
  ]);
  await api.sql.query(`select analytics.revert_window('rollback-2')`);
  expect((await post('rollback-2', 'rollback', { mode: 'window' })).json.rollback).toMatchObject({ mode: 'window' });
});

it('says how to take what a rollback of the window has left', async () => {
  await batches.submit('rollback-3');
  await api.sql.query(
    `insert into analytics.events_log (event_id, source, event_name, schema_version, event_ts, payload, batch_id)
     values ('app:left', 'app', 'e', '1-0-0', '2020-01-01Z', '{}', 'rollback-3')`,
  );
  await post('rollback-3', 'rollback', { mode: 'window' });
  await api.sql.query(`select analytics.revert_window('rollback-3')`);
  expect((await post('rollback-3', 'rollback', { mode: 'window' })).json.rollback).toMatchObject({ left_outside: 1 });
  const refused = await post('rollback-3', 'rollback', { mode: 'tombstone' });
  expect([refused.status, refused.json.detail]).toEqual([
    409,
    expect.stringMatching(
      /1 row outside of its window left live: psql .*backfill_apply_tombstones\.sql --set batch_id=rollback-3 takes/,
    ),
  ]);
  await api.sql.query(`select analytics.tombstone_batch('rollback-3')`);
  expect((await post('rollback-3', 'rollback', { mode: 'tombstone' })).json.rollback).toMatchObject({
    ...{ mode: 'tombstone', tombstoned: 1, left_outside: 0 },
  });
});

/** What the audit log says about a batch, without what is new every time. */
async function auditOf(batchId: string, ...actions: string[]) {
  const { rows } = await api.sql.query<{ actor: string; action: string; detail: Record<string, unknown> }>(
    `select actor, action, detail from analytics.backfill_audit_log
      where batch_id = $1 and action = any ($2) order by audit_id`,
    [batchId, actions],
  );
  return rows;
}

it('writes the actor of every change into the audit log', async () => {
  await batches.submit('audit-1');
  await post('audit-1', 'halt', { reason: 'the input is late' });
  await post('audit-1', 'resume');
  const status = (actor: string, from: string, to: string, reason: string | null) => ({
    actor,
    action: 'status',
    detail: expect.objectContaining({ from, to, reason }),
  });
  expect(await auditOf('audit-1', 'submit', 'status')).toEqual([
    {
      actor: 'submitter',
      action: 'submit',
      detail: expect.objectContaining({
        source: 'app',
        reason: 'outage',
        submitted_by: 'submitter',
        request_sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      }),
    },
    status('operator', 'submitted', 'halted', 'halted by operator: the input is late'),
    status('operator', 'halted', 'planning', null),
  ]);
});

it('writes every decision into the audit log, with what it was about', async () => {
  await batches.planned('audit-2');
  await post('audit-2', 'import-limit', { events: 10 });
  await post('audit-2', 'import-limit', { events: null });
  await batches.approve('audit-2', 'data_privacy_officer', { comment: 'seen' });
  // Given again: nothing new.
  await batches.approve('audit-2', 'data_privacy_officer', { comment: 'seen' });
  await batches.approve('audit-2', 'legal_counsel_privacy', { decision: 'reject', comment: 'not like this' });
  const approval = { stage: 'run', bound_hash: 'plan-1', attempt: 1, gate: null };
  const entry = (actor: string, action: string, detail: object) => ({
    actor,
    action,
    detail: expect.objectContaining(detail),
  });
  expect(await auditOf('audit-2', 'plan', 'import_limit', 'approval')).toEqual([
    entry('test', 'plan', {
      plan_hash: 'plan-1',
      recipe_hash: 'r',
      policy_sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    }),
    entry('operator', 'import_limit', { from: null, to: 10 }),
    entry('operator', 'import_limit', { from: 10, to: null }),
    entry('data_privacy_officer', 'approval', { ...approval, decision: 'approve', comment: 'seen' }),
    entry('legal_counsel_privacy', 'approval', { ...approval, decision: 'reject', comment: 'not like this' }),
  ]);
  await batches.verified('audit-3');
  await post('audit-3', 'rollback', { mode: 'tombstone' });
  expect(await auditOf('audit-3', 'gates', 'freeze', 'freeze_changed')).toEqual([
    entry('test', 'freeze', { reason: 'backfill in progress', lifted_at: null }),
    entry('test', 'gates', { gate_set_hash: 'gates-1' }),
  ]);
});
