import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type TestApi } from '../support/api.ts';
import { createKpiWorld, type KpiWorld, lostLines } from '../support/kpi-world.ts';

// Somebody lets the median of other weeks decide about a KPI: what that takes, and when it falls.
const MANAGER = 'product_analytics_manager';
const KPIS = ['daily_active_sessions', 'activation_funnel'];

let world: KpiWorld;
let api: TestApi;
beforeAll(async () => {
  world = await createKpiWorld();
  api = await startApi({ environment: world, config: world.config });
});
afterAll(async () => {
  await api.dispose();
  await world.dispose();
});

async function override(batchId: string, gate: string, change: object = {}, token = MANAGER) {
  const body = { stage: 'override', role: MANAGER, decision: 'approve', gate, comment: 'no campaign that week' };
  return (await api.call('POST', `/v1/batches/${batchId}/approvals`, token, { ...body, ...change })).status;
}

async function show(batchId: string) {
  const { json } = await api.call('GET', `/v1/batches/${batchId}`, 'viewer');
  return json as {
    missing_approvals: { override: object[] };
    approvals: { stage: string; gate: string | null; counts: boolean; comment: string | null }[];
  };
}

describe('an override', () => {
  it('is asked of the policy’s role, and the last one has the gates measured again', async () => {
    expect((await world.run('warned', { lines: lostLines('warned') })).status).toBe('gates_failed');
    expect((await show('warned')).missing_approvals.override).toEqual([
      { gate: 'activation_funnel', role: MANAGER },
      { gate: 'daily_active_sessions', role: MANAGER },
    ]);
    expect(await override('warned', 'daily_active_sessions', { comment: undefined })).toBe(422);
    expect(await override('warned', 'daily_active_sessions', {}, 'operator')).toBe(403);
    expect(await override('warned', 'daily_active_sessions', { role: 'product_owner' }, 'product_owner')).toBe(422);
    for (const gate of [
      'balance',
      'duplicates',
      'overlap',
      'identity',
      'schema',
      'recount',
      'sample',
      'volume',
      'freshness',
    ]) {
      expect([gate, await override('warned', gate)]).toEqual([gate, 422]);
    }
    await api.addToken('submitter-too', { actor: 'test', roles: [MANAGER] });
    expect(await override('warned', 'daily_active_sessions', {}, 'submitter-too')).toBe(403);
    expect((await show('warned')).approvals).toEqual([]);

    expect(await override('warned', 'daily_active_sessions')).toBe(201);
    expect(await override('warned', 'daily_active_sessions')).toBe(200);
    expect((await world.rest('warned')).status).toBe('gates_failed');
    expect(await override('warned', 'activation_funnel')).toBe(201);
    const batch = await world.rest('warned', ['awaiting_publish_approval', 'halted']);
    expect(batch.status).toBe('awaiting_publish_approval');
    const gates = await world.gates('warned');
    for (const kpi of KPIS) {
      expect(gates[kpi]).toMatchObject({
        passed: true,
        observed: 0,
        detail: { overridden_by: [{ role: MANAGER, actor: MANAGER, comment: 'no campaign that week' }] },
      });
    }
    const { approvals, missing_approvals } = await show('warned');
    expect(missing_approvals.override).toEqual([]);
    expect(approvals).toEqual([
      expect.objectContaining({ stage: 'override', gate: 'daily_active_sessions', counts: true }),
      expect.objectContaining({ stage: 'override', gate: 'activation_funnel', counts: true }),
    ]);
    const { rows } = await world.sql.query(
      `select detail ->> 'gate' as gate, detail ->> 'comment' as comment from analytics.backfill_audit_log
        where batch_id = 'warned' and action = 'approval' order by audit_id`,
    );
    expect(rows).toEqual([
      { gate: 'daily_active_sessions', comment: 'no campaign that week' },
      { gate: 'activation_funnel', comment: 'no campaign that week' },
    ]);
    // Given again after all that: nothing new.
    expect(await override('warned', 'activation_funnel')).toBe(200);
  });

  it('stands as long as rows and figures are the same, and falls with them', async () => {
    expect(await world.verifyAfter('warned')).toEqual([]);
    const failed = await world.verifyAfter(
      'warned',
      `update analytics.events_backfill_staging set subject_id = 'x'
        where batch_id = $1 and event_name = 'page_viewed'`,
    );
    expect(failed).toEqual(expect.arrayContaining([...KPIS, 'identity']));
    const { approvals } = await show('warned');
    expect(approvals.map(({ counts }) => counts)).toEqual([false, false]);
  });

  it('falls when live events change what was measured', async () => {
    await world.run('moved', { lines: lostLines('moved') });
    for (const kpi of KPIS) expect(await override('moved', kpi)).toBe(201);
    await world.rest('moved', ['awaiting_publish_approval']);
    const failed = await world.verifyAfter(
      'moved',
      `insert into analytics.events_log (event_id, source, event_name, schema_version, event_ts, session_id, payload)
       select analytics.event_id('app', at, '{}'), 'app', 'page_viewed', '1-0-0', at, 'late', json_build_object('batch', $1::text)
         from (values (timestamptz '2026-11-04T12:34Z')) as late (at)`,
    );
    expect(failed).toEqual(['daily_active_sessions']);
    expect((await world.gates('moved')).daily_active_sessions?.observed).toBe(0.01);
    await world.sql.query(`update analytics.events_log set deleted_at = now() where session_id = 'late'`);
  });

  it('lets a median beyond the threshold fail the gate', async () => {
    const batch = await world.run('beyond', { lines: lostLines('beyond', 80, 48) });
    expect(batch.status_reason).toContain('2026-11-04 85 against 100');
    for (const kpi of KPIS) await override('beyond', kpi);
    const after = await world.rest('beyond', ['gates_failed', 'awaiting_publish_approval']);
    expect(await world.failedGates('beyond')).toEqual(['daily_active_sessions']);
    expect(after.status_reason).toContain('it is beyond the threshold too');
  });

  it('that is refused leaves the batch where it is', async () => {
    await world.run('refused', { lines: lostLines('refused') });
    for (const gate of KPIS) expect(await override('refused', gate, { decision: 'reject' })).toBe(201);
    expect((await world.rest('refused')).status).toBe('gates_failed');
    expect((await show('refused')).missing_approvals.override).toHaveLength(2);
  });

  it('is not to be had for a KPI that has a verdict, or before there is one', async () => {
    const references = [{ kpi: 'daily_active_sessions', day: '2026-11-04', value: 50, source: 'warehouse' }];
    await world.run('contradicted', { lines: lostLines('contradicted'), request: { references } });
    expect(await override('contradicted', 'daily_active_sessions')).toBe(409);
    const submission = {
      ...{ batch_id: 'waiting', source: 'app', reason: 'outage', input: `s3://${api.rawBucket}/waiting/` },
      window: { start: '2026-11-03T23:00:00Z', end: '2026-11-04T23:00:00Z' },
    };
    expect((await api.call('POST', '/v1/batches', 'submitter', submission)).status).toBe(202);
    expect(await override('waiting', 'daily_active_sessions')).toBe(409);
  });

  it('cannot be given where the policy lets nobody', async () => {
    await world.config.editPolicy((policy) => {
      policy.approvals.override = [];
    });
    await world.run('nobody', { lines: lostLines('nobody') });
    expect(await override('nobody', 'daily_active_sessions')).toBe(422);
    expect((await show('nobody')).missing_approvals.override).toEqual([]);
  });
});
