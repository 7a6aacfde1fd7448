import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApi, type TestApi } from '../support/api.ts';
import { createApiBatches, PUBLISH_ROLES, RUN_ROLES } from '../support/api-batches.ts';

let api: TestApi;
let batches: ReturnType<typeof createApiBatches>;
beforeAll(async () => {
  api = await startApi();
  batches = createApiBatches(api);
});
afterAll(() => api?.dispose());

it('starts the work with the last run approval, each given once', async () => {
  await batches.planned('approve-1');
  const first = await batches.approve('approve-1', 'data_privacy_officer');
  expect(first.json).toMatchObject({
    status: 'awaiting_run_approval',
    missing_approvals: { run: ['legal_counsel_privacy'], publish: PUBLISH_ROLES },
    approvals: [{ stage: 'run', role: 'data_privacy_officer', decision: 'approve', counts: true }],
  });
  expect((await batches.approve('approve-1', 'data_privacy_officer')).status).toBe(200);
  const last = await batches.approve('approve-1', 'legal_counsel_privacy');
  expect([last.status, last.json.status]).toEqual([201, 'preparing']);
  expect((await batches.approve('approve-1', 'legal_counsel_privacy')).status).toBe(200);
  expect(await api.count('select count(*) from analytics.backfill_approvals where batch_id = $1', 'approve-1')).toBe(2);
  expect(
    await api.count(
      `select count(*) from analytics.backfill_outbox where batch_id = $1 and kind = 'mirror'`,
      'approve-1',
    ),
  ).toBe(1);
  const { json } = await api.call('GET', '/v1/freezes', 'viewer');
  expect(json.freezes).toContainEqual(expect.objectContaining({ batch_id: 'approve-1' }));
});

it('starts the work once when the last two approve at once', async () => {
  await batches.planned('approve-2');
  const answers = await Promise.all(RUN_ROLES.map((role) => batches.approve('approve-2', role)));
  expect(answers.map((answer) => answer.status)).toEqual([201, 201]);
  expect((await batches.show('approve-2')).status).toBe('preparing');
});

it('lets an approval fall with its plan', async () => {
  await batches.planned('approve-3');
  await batches.approve('approve-3', 'data_privacy_officer');
  await batches.plan('approve-3', 'plan-2');
  const { json } = await api.call('GET', '/v1/batches/approve-3', 'viewer');
  expect(json).toMatchObject({ approvals: [{ counts: false }], missing_approvals: { run: RUN_ROLES } });
  expect((await batches.approve('approve-3', 'legal_counsel_privacy')).json.status).toBe('awaiting_run_approval');
});

it('halts on a rejection with its reason, and lets the batch be resumed into waiting', async () => {
  await batches.planned('approve-4');
  const no = { decision: 'reject', comment: 'wrong day' };
  const { json } = await batches.approve('approve-4', 'data_privacy_officer', no);
  expect(json).toMatchObject({ status: 'halted', status_reason: 'rejected by data_privacy_officer: wrong day' });
  expect((await batches.approve('approve-4', 'data_privacy_officer', no)).status).toBe(200);
  expect((await batches.approve('approve-4', 'legal_counsel_privacy')).status).toBe(409);
  expect((await api.call('POST', '/v1/batches/approve-4/resume', 'operator')).json.status).toBe(
    'awaiting_run_approval',
  );
  await batches.approve('approve-4', 'legal_counsel_privacy');
  expect((await batches.show('approve-4')).status).toBe('awaiting_run_approval');
  await batches.approve('approve-4', 'data_privacy_officer');
  expect((await batches.show('approve-4')).status).toBe('preparing');
});

it('halts on a rejection of what was measured, and nothing is published over it', async () => {
  const batchId = 'approve-publish';
  await batches.verified(batchId);
  const [lead, manager] = PUBLISH_ROLES as [string, string];
  const say = (role: string, decision: string, comment?: string) =>
    batches.approve(batchId, role, { stage: 'publish', decision, ...(comment !== undefined && { comment }) });
  const publish = async () => {
    const { status, json } = await api.call('POST', `/v1/batches/${batchId}/publish`, 'operator');
    return [status, json.detail];
  };
  expect([(await say(lead, 'approve')).status, (await say(lead, 'approve')).status]).toEqual([201, 200]);
  const { json } = await say(manager, 'reject', 'the funnel of Tuesday');
  expect(json).toMatchObject({
    status: 'halted',
    status_reason: `rejected by ${manager}: the funnel of Tuesday`,
  });
  expect((await publish())[0]).toBe(409);
  expect((await say(manager, 'approve')).status).toBe(409);
  const resumed = await api.call('POST', `/v1/batches/${batchId}/resume`, 'operator');
  expect(resumed.json).toMatchObject({
    status: 'awaiting_publish_approval',
    missing_approvals: { publish: [manager] },
  });
  expect(await publish()).toEqual([409, expect.stringContaining(manager)]);
  expect((await say(manager, 'approve')).status).toBe(201);
  expect(await publish()).toEqual([202, undefined]);
});

it('keeps two roles and the submission in different hands, whatever the tokens', async () => {
  await api.addToken('dora-1', { actor: 'dora', roles: ['data_privacy_officer'] });
  await api.addToken('dora-2', { actor: 'dora', roles: ['legal_counsel_privacy'] });
  await api.addToken('submitter-2', { actor: 'submitter', roles: ['data_privacy_officer'] });
  await batches.planned('approve-5');
  expect((await batches.approve('approve-5', 'submitter-2', { role: 'data_privacy_officer' })).status).toBe(403);
  expect((await batches.approve('approve-5', 'dora-1', { role: 'data_privacy_officer' })).status).toBe(201);
  expect((await batches.approve('approve-5', 'dora-2', { role: 'legal_counsel_privacy' })).status).toBe(409);
});

it.each<[string, string, object, number]>([
  ['for a role the token lacks', 'data_privacy_officer', { role: 'legal_counsel_privacy' }, 403],
  ['for a role the plan does not ask', 'product_owner', {}, 422],
  ['for the stage to come', 'data_engineering_lead', { stage: 'publish' }, 409],
  [
    'to override a gate of integrity',
    'data_privacy_officer',
    { stage: 'override', gate: 'balance', comment: 'x' },
    422,
  ],
  ['to override without a gate', 'product_analytics_manager', { stage: 'override', comment: 'x' }, 422],
  ['to override without a reason', 'product_analytics_manager', { stage: 'override', gate: 'activation_funnel' }, 422],
  ['a gate without an override', 'data_privacy_officer', { gate: 'activation_funnel' }, 422],
  ['with an unknown decision', 'data_privacy_officer', { decision: 'maybe' }, 422],
])('refuses to approve %s', async (what, token, change, expected) => {
  const batchId = `approve-${what.replace(/\W/g, '-')}`;
  await batches.planned(batchId);
  expect((await batches.approve(batchId, token, change)).status).toBe(expected);
  expect(await api.count('select count(*) from analytics.backfill_approvals where batch_id = $1', batchId)).toBe(0);
});
