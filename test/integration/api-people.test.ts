import { hash } from 'node:crypto';
import { withTransaction } from '@backfill/core/db/transaction';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type TestApi } from '../support/api.ts';
import { createApiBatches, PUBLISH_ROLES, RUN_ROLES } from '../support/api-batches.ts';

// What people decide about a batch: signatures that meet, rehearsals, escalations, incidents.
let api: TestApi;
let batches: ReturnType<typeof createApiBatches>;
beforeAll(async () => {
  api = await startApi();
  batches = createApiBatches(api);
});
afterAll(() => api?.dispose());

const post = (batchId: string, path: string, token: string, body: object) =>
  api.call('POST', `/v1/batches/${batchId}/${path}`, token, body);
const approvals = (batchId: string) =>
  api.count('select count(*) from analytics.backfill_approvals where batch_id = $1', batchId);
const auditActions = async (batchId: string) =>
  (
    await api.sql.query<{ action: string }>(
      'select action from analytics.backfill_audit_log where batch_id = $1 order by audit_id',
      [batchId],
    )
  ).rows.map(({ action }) => action);

describe('signatures', () => {
  it.each([
    ['run', RUN_ROLES],
    ['publish', PUBLISH_ROLES],
  ] as const)(
    'lets one actor fill one role of the stage %s, with two tokens at the same moment too',
    async (stage, roles) => {
      const batchId = `twice-${stage}`;
      const tokens = roles.map((role) => `dora-${role}`);
      for (const [index, role] of roles.entries()) {
        await api.addToken(tokens[index] ?? '', { actor: 'dora', roles: [role] });
      }
      await (stage === 'run' ? batches.planned(batchId) : batches.verified(batchId));
      const both = () =>
        roles.flatMap((role, index) =>
          Array.from({ length: 3 }, () => batches.approve(batchId, tokens[index] ?? '', { stage, role })),
        );
      const answers = await Promise.all(both());
      // One role was first; the same again is a repeat, and the other role is refused.
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 201, 409, 409, 409]);
      expect(await approvals(batchId)).toBe(1);
      const { status, missing_approvals } = await batches.show(batchId);
      expect(status).toMatch(/^awaiting_/);
      expect((missing_approvals as Record<string, string[]>)[stage]).toHaveLength(roles.length - 1);
    },
  );

  it('lets nobody sign in psql, and nobody for somebody else', async () => {
    await batches.planned('forged');
    const forge = `insert into analytics.backfill_approvals (batch_id, attempt, stage, role, actor, decision, bound_hash)
                   values ('forged', 1, 'run', 'data_privacy_officer', 'dora', 'approve', 'plan-1')`;
    await expect(api.sql.query(forge)).rejects.toMatchObject({
      code: '42501',
      hint: 'Use the API or ./backfill approve.',
    });
    const other = withTransaction(api.context.pool, 'otto', (client) => client.query(forge));
    await expect(other).rejects.toMatchObject({ code: '42501' });
    expect(await approvals('forged')).toBe(0);
  });

  it('lets nobody sign who has submitted, whatever the role and the stage', async () => {
    await api.addToken('submitter-all', { actor: 'submitter', roles: [...RUN_ROLES, ...PUBLISH_ROLES] });
    await batches.verified('own-work');
    for (const role of PUBLISH_ROLES) {
      const { status, json } = await batches.approve('own-work', 'submitter-all', { stage: 'publish', role });
      expect([status, json.detail]).toEqual([403, expect.stringContaining('submitted the batch')]);
    }
    expect(await approvals('own-work')).toBe(0);
  });

  it('refuses to sign what has changed since it was looked at, and says what has', async () => {
    await batches.planned('changed-plan');
    await api.sql.query(
      `insert into analytics.backfill_plans (batch_id, attempt, plan_hash, recipe_hash, plan)
       select batch_id, attempt, 'plan-2', 'r2',
              plan || '{"manifest": [{"source_file": "late.log"}], "recipe": {"window": 2}, "retentionException": null}'
         from analytics.backfill_plans where batch_id = 'changed-plan'`,
    );
    await api.sql.query(
      `alter table analytics.backfill_plans disable trigger all;
       update analytics.backfill_plans
          set plan = plan || '{"manifest": [], "recipe": {"window": 1}, "retentionException": null}'
        where batch_id = 'changed-plan' and plan_hash = 'plan-1';
       update analytics.backfill_plans set plan = jsonb_set(plan, '{policy,gates}', '{"max_overlap": 0.5}')
        where batch_id = 'changed-plan';
       alter table analytics.backfill_plans enable trigger all`,
    );
    await withTransaction(api.context.pool, 'test', (client) =>
      client.query(`update analytics.backfill_batches set plan_hash = 'plan-2' where batch_id = 'changed-plan'`),
    );
    const late = await batches.approve('changed-plan', 'data_privacy_officer', { plan_hash: 'plan-1' });
    expect([late.status, late.json.detail]).toEqual([
      409,
      'The plan is another one now, plan-2. What changed: new files: late.log; recipe: window (1 became 2).',
    ]);
    const unknown = await batches.approve('changed-plan', 'data_privacy_officer', { plan_hash: 'plan-0' });
    expect([unknown.status, unknown.json.detail]).toEqual([409, expect.stringContaining('never had that one')]);
    expect(await approvals('changed-plan')).toBe(0);
    expect((await batches.approve('changed-plan', 'data_privacy_officer', { plan_hash: 'plan-2' })).status).toBe(201);
  });

  it('refuses to sign figures that were measured anew, and says which', async () => {
    await batches.planned('changed-gates');
    await batches.walk('changed-gates', 'awaiting_run_approval', 'preparing', 'canary', 'importing', 'verifying');
    const measure = async (runNo: number, observed: number, hash: string) => {
      await api.sql.query(
        `insert into analytics.backfill_gate_results (batch_id, attempt, run_no, gate, threshold, observed, passed, procedure)
         values ('changed-gates', 1, $1, 'overlap', 0.5, $2, true, '')`,
        [runNo, observed],
      );
      await batches.setGateSet('changed-gates', hash);
    };
    await measure(1, 0.1, 'gates-1');
    await measure(2, 0.2, 'gates-2');
    await batches.walk('changed-gates', 'verifying', 'awaiting_publish_approval');
    const sign = (gate_set_hash: string) =>
      batches.approve('changed-gates', 'data_engineering_lead', { stage: 'publish', gate_set_hash });
    const { status, json } = await sign('gates-1');
    expect([status, json.detail]).toEqual([
      409,
      'The gate results are others now, gates-2. What changed: gate overlap observed: 0.1 became 0.2.',
    ]);
    expect((await sign('gates-2')).status).toBe(201);
  });
});

describe('a rehearsal', () => {
  const HASH = 'a'.repeat(64);
  const report = (change: object = {}) => ({
    version: 2,
    batch_id: 'staging-1',
    status: 'awaiting_publish_approval',
    recipe_hash: HASH,
    gate_set_hash: 'b'.repeat(64),
    gates: [{ gate: 'balance', passed: true }],
    audit_head: { chain_no: 1, mac: 'c'.repeat(64) },
    ...change,
  });
  const record = (batchId: string, given: object, token = 'operator') =>
    post(batchId, 'rehearsal', token, { report: JSON.stringify(given) });

  /** As the plan of a source whose policy asks for a rehearsal. */
  async function demanding(batchId: string, run: readonly string[] = RUN_ROLES): Promise<void> {
    await batches.submit(batchId);
    const policy = { approvals: { run, publish: PUBLISH_ROLES, rehearsal: true } };
    await api.sql.query(
      `insert into analytics.backfill_plans (batch_id, attempt, plan_hash, recipe_hash, plan) values ($1, 1, 'p', $2, $3)`,
      [batchId, HASH, { policy }],
    );
    await withTransaction(api.context.pool, 'test', (client) =>
      client.query(`update analytics.backfill_batches set plan_hash = 'p' where batch_id = $1`, [batchId]),
    );
    await batches.walk(batchId, 'submitted', 'planning', 'awaiting_run_approval');
  }

  it('is waited for when all have signed, and lets the run begin', async () => {
    await demanding('rehearsed-late');
    for (const role of RUN_ROLES) await batches.approve('rehearsed-late', role);
    expect(await batches.show('rehearsed-late')).toMatchObject({
      status: 'awaiting_run_approval',
      missing_approvals: { run: [] },
      rehearsal: { required: true, recorded: null, recipe_hash: HASH },
    });
    const done = await record('rehearsed-late', report());
    expect([done.status, done.json.status]).toEqual([201, 'preparing']);
    const sha256 = hash('sha256', JSON.stringify(report()), 'hex');
    const { rehearsal } = done.json as { rehearsal: { recorded: { report_path: string } } };
    expect(rehearsal).toMatchObject({
      recorded: { report_sha256: sha256, rehearsed_batch_id: 'staging-1', recorded_by: 'operator' },
    });
    expect(rehearsal.recorded.report_path).toMatch(`/reports/rehearsed-late/rehearsals/${sha256}.json`);
    expect((await record('rehearsed-late', report())).status).toBe(200);
    expect(await auditActions('rehearsed-late')).toContain('rehearsal');
  });

  it('comes before the signatures as well, of which the last one starts the run', async () => {
    await demanding('rehearsed-early');
    expect((await record('rehearsed-early', report())).json.status).toBe('awaiting_run_approval');
    for (const role of RUN_ROLES) await batches.approve('rehearsed-early', role);
    expect((await batches.show('rehearsed-early')).status).toBe('preparing');
  });

  it('starts a run that nobody has to sign', async () => {
    await demanding('rehearsed-alone', []);
    expect((await record('rehearsed-alone', report())).json.status).toBe('preparing');
  });

  it.each<[string, object, number, string]>([
    ['had another recipe', { recipe_hash: 'd'.repeat(64) }, 409, 'the batch has'],
    ['did not pass its gates', { gates: [{ gate: 'overlap', passed: false }] }, 409, 'have not passed: overlap'],
    ['was halted', { status: 'halted' }, 409, 'ended as halted'],
    ['measured nothing', { gates: [] }, 409, 'has measured no gate'],
    ['is no report', { version: 7 }, 422, 'not valid'],
  ])('is refused when that run %s', async (what, change, status, detail) => {
    const batchId = `refused-${what.replace(/\W/g, '-')}`;
    await demanding(batchId);
    const answer = await record(batchId, report(change));
    expect([answer.status, answer.json.detail]).toEqual([status, expect.stringContaining(detail)]);
    expect(await batches.show(batchId)).toMatchObject({ rehearsal: { recorded: null } });
  });

  it('is refused when that run was here', async () => {
    await demanding('refused-here');
    await api.context.sealer.seal();
    const { rows } = await api.sql.query<{ chain_no: string; mac: string }>(
      'select chain_no, mac from analytics.backfill_audit_log where chain_no = 1',
    );
    const head = { chain_no: 1, mac: rows[0]?.mac };
    const { status, json } = await record('refused-here', report({ audit_head: head }));
    expect([status, json.detail]).toEqual([409, expect.stringContaining('was here')]);
  });

  it('is not asked of others, and does not count for another recipe', async () => {
    await batches.planned('not-asked');
    expect(await batches.show('not-asked')).toMatchObject({ rehearsal: { required: false } });
    await demanding('replanned');
    await record('replanned', report());
    await api.sql.query(
      `insert into analytics.backfill_plans (batch_id, attempt, plan_hash, recipe_hash, plan)
       select batch_id, attempt, 'p2', 'other', plan from analytics.backfill_plans where batch_id = 'replanned'`,
    );
    await withTransaction(api.context.pool, 'test', (client) =>
      client.query(`update analytics.backfill_batches set plan_hash = 'p2' where batch_id = 'replanned'`),
    );
    for (const role of RUN_ROLES) await batches.approve('replanned', role);
    expect(await batches.show('replanned')).toMatchObject({
      status: 'awaiting_run_approval',
      rehearsal: { required: true, recorded: null },
    });
  });
});

describe('an escalation', () => {
  const decide = (batchId: string, token: string, change: object = {}) =>
    post(batchId, 'escalations/1/decision', token, {
      ...{ role: token, decision: 'roll it back', why: 'the input is wrong' },
      ...change,
    });

  it('is decided by another one, once, and changes nothing else', async () => {
    await batches.planned('conflict');
    await batches.approve('conflict', 'data_privacy_officer', { decision: 'reject', comment: 'wrong day' });
    const before = await batches.show('conflict');
    const raised = await post('conflict', 'escalations', 'product_owner', { why: 'the day is needed' });
    expect(raised.status).toBe(201);
    expect((await post('conflict', 'escalations', 'product_owner', { why: 'the day is needed' })).status).toBe(200);
    expect((await decide('conflict', 'product_owner')).status).toBe(403);
    expect((await decide('conflict', 'data_engineering_lead', { role: 'product_owner' })).status).toBe(403);
    expect((await decide('conflict', 'operator', { role: 'data_engineering_lead' })).status).toBe(403);
    expect((await decide('conflict', 'data_engineering_lead')).status).toBe(201);
    expect((await decide('conflict', 'data_engineering_lead')).status).toBe(200);
    expect((await decide('conflict', 'legal_counsel_privacy')).status).toBe(409);
    expect((await decide('none', 'legal_counsel_privacy')).status).toBe(404);
    const after = await batches.show('conflict');
    expect(after.escalations).toEqual([
      {
        ...{ escalation_no: 1, about: 'rejected', raised_by: 'product_owner', why: 'the day is needed' },
        status_reason: 'rejected by data_privacy_officer: wrong day',
        raised_at: expect.any(String),
        decision: {
          ...{ role: 'data_engineering_lead', decided_by: 'data_engineering_lead', decision: 'roll it back' },
          ...{ why: 'the input is wrong', decided_at: expect.any(String) },
        },
      },
    ]);
    expect({ ...after, escalations: [] }).toEqual({ ...before, escalations: [] });
    expect((await auditActions('conflict')).slice(-2)).toEqual(['escalation', 'escalation_decision']);
    await expect(
      api.sql.query(`update analytics.backfill_escalation_decisions set decision = 'go on'`),
    ).rejects.toThrow('append-only');
  });

  it('lets one of two decisions at once stand', async () => {
    await batches.planned('contested');
    await post('contested', 'halt', 'operator', {});
    await post('contested', 'escalations', 'operator', { why: 'stopped without a reason' });
    const answers = await Promise.all(
      ['product_owner', 'legal_counsel_privacy', 'data_engineering_lead'].map((role) =>
        decide('contested', role, { decision: `as ${role} says` }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
  });

  it('needs a conflict, a role and words', async () => {
    await batches.planned('peace');
    const why = 'just so';
    expect((await post('peace', 'escalations', 'operator', { why })).status).toBe(409);
    await post('peace', 'halt', 'operator', {});
    expect((await post('peace', 'escalations', 'viewer', { why })).status).toBe(403);
    expect((await post('peace', 'escalations', 'submitter', { why })).status).toBe(403);
    expect((await post('peace', 'escalations', 'operator', { why: '' })).status).toBe(422);
    expect((await post('peace', 'escalations', 'operator', { why })).json.escalations).toHaveLength(1);
  });
});

it('offers what can be done about a failed gate', async () => {
  await batches.planned('red');
  const path = ['awaiting_run_approval', 'preparing', 'canary', 'importing', 'verifying', 'gates_failed'] as const;
  await batches.walk('red', ...path);
  expect(await batches.show('red')).toMatchObject({
    freeze: { reason: 'extended: gates failed', held_by: null, extended_at: expect.any(String) },
    next_calls: ['verify', 'rollback', 'escalations'].map((call) => `POST /v1/batches/red/${call}`),
  });
  const { json } = await api.call('GET', '/v1/freezes', 'viewer');
  expect(json.freezes).toContainEqual(
    expect.objectContaining({ batch_id: 'red', reason: 'extended: gates failed', extended_at: expect.any(String) }),
  );
});

describe('an incident', () => {
  it('is closed once by an operator, with its post-mortem', async () => {
    await batches.planned('troubled');
    await api.sql.query(
      `insert into analytics.backfill_incidents (batch_id, kind, summary) values ('troubled', 'gates_failed', 'overlap')`,
    );
    const [incident] = (await batches.show('troubled')).incidents as Record<string, string>[];
    const due = Date.parse(incident?.post_mortem_due ?? '') - Date.parse(incident?.raised_at ?? '');
    expect(due).toBe(24 * 3_600_000);
    const close = (note: string, token = 'operator') =>
      post('troubled', `incidents/${incident?.incident_id}/close`, token, { note });
    expect((await close('x', 'product_owner')).status).toBe(403);
    expect((await post('troubled', 'incidents/99999/close', 'operator', { note: 'x' })).status).toBe(404);
    const note = 'https://wiki.example.eu/post-mortem-1';
    expect((await close(note)).json.incidents).toMatchObject([{ closed_by: 'operator', note }]);
    expect((await close(note)).status).toBe(200);
    expect((await close('another one')).status).toBe(409);
    expect((await auditActions('troubled')).slice(-2)).toEqual(['incident', 'incident_changed']);
  });
});
