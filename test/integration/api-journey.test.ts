import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ApiAnswer, startApi, type TestApi } from '../support/api.ts';
import { PUBLISH_ROLES, RUN_ROLES } from '../support/api-batches.ts';
import { runCommandLine } from '../support/command-line.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { waitFor } from '../support/wait-for.ts';

let pipeline: Pipeline;
let api: TestApi;
beforeAll(async () => {
  pipeline = await startPipeline();
  await pipeline.config.editPolicy((policy) => {
    policy.approvals = { run: RUN_ROLES, publish: PUBLISH_ROLES };
  });
  api = await startApi({ environment: pipeline, config: pipeline.config });
});
afterAll(async () => {
  await api?.dispose();
  await pipeline?.dispose();
});

const LINES = 200;
const line = (second: number) =>
  `192.0.2.7 - - [01/Nov/2026:10:${String(Math.floor(second / 60)).padStart(2, '0')}:${String(second % 60).padStart(2, '0')} +0000] "GET / HTTP/1.1" 200 12 "-" "curl/8"`;

const post = (path: string, token: string, body: object = {}) =>
  api.call('POST', `/v1/batches/journey${path}`, token, body);

async function approveAll(stage: 'run' | 'publish', roles: readonly string[]): Promise<ApiAnswer[]> {
  return Promise.all(roles.map((role) => post('/approvals', role, { stage, role, decision: 'approve' })));
}

/** Follows the progress stream to its end, and returns the last view. */
async function follow(): Promise<Record<string, unknown>> {
  const { text } = await api.call('GET', '/v1/batches/journey/progress', 'viewer');
  const events = [...text.matchAll(/^data: (.*)$/gm)].map((match) => JSON.parse(match[1] ?? ''));
  return events.at(-1);
}

async function publish(): Promise<Record<string, unknown>> {
  expect(await follow()).toMatchObject({ status: 'awaiting_run_approval' });
  await approveAll('run', RUN_ROLES);
  expect(await follow()).toMatchObject({ status: 'awaiting_publish_approval', canary_passed: true });
  await approveAll('publish', PUBLISH_ROLES);
  expect((await post('/publish', 'operator')).status).toBe(202);
  return follow();
}

const liveIds = async () => {
  const { rows } = await api.sql.query<{ event_id: string }>('select event_id from analytics.events order by 1');
  return rows.map((row) => row.event_id);
};

it('takes a batch through the API alone to published rows, back, and to the same rows again', async () => {
  const log = [...Array.from({ length: LINES }, (_, second) => line(second)), 'not a log line'];
  await pipeline.upload('journey', { 'access.log': `${log.join('\n')}\n` });
  const submitted = await api.call('POST', '/v1/batches', 'submitter', {
    batch_id: 'journey',
    source: 'web-access',
    reason: 'outage',
    input: `s3://${api.rawBucket}/journey/`,
    window: { start: '2026-11-01T00:00:00Z', end: '2026-11-02T00:00:00Z' },
  });
  expect(submitted.status).toBe(202);

  const published = await publish();
  const balance = { read: LINES + 1, inserted: LINES, quarantined: 1, duplicate: 0 };
  expect(published).toMatchObject({
    status: 'published',
    row_count: LINES,
    balance,
    files: [{ source_file: 'access.log', lines: LINES + 1, balance }],
    missing_approvals: { run: [], publish: [] },
  });
  const gates = published.gates as { passed: boolean }[];
  expect(gates.length).toBeGreaterThan(0);
  expect(gates.every((gate) => gate.passed)).toBe(true);
  expect((await api.call('GET', '/v1/batches/journey/report.csv', 'viewer')).status).toBe(200);
  expect((await api.call('GET', '/v1/batches/journey/report.json', 'viewer')).json.rows).toBe(LINES);

  const first = await liveIds();
  expect(first).toHaveLength(LINES);
  const eventPath = `/v1/events/${encodeURIComponent(first[0] ?? '')}`;
  expect((await api.call('GET', eventPath, 'viewer')).json).toMatchObject({
    owner: 'journey',
    state: 'live',
    source_file: 'access.log',
    line_no: 1,
  });

  expect((await post('/rollback', 'operator', { mode: 'tombstone' })).status).toBe(202);
  expect(await follow()).toMatchObject({
    status: 'rolled_back',
    rollback: { tombstoned: LINES, keys_freed: LINES, live_rows_after: 0, keys_after: 0 },
  });
  expect(await liveIds()).toEqual([]);
  expect((await api.call('GET', eventPath, 'viewer')).json.state).toBe('tombstoned');

  expect((await post('/resume', 'operator')).status).toBe(202);
  expect(await publish()).toMatchObject({ status: 'published', attempt: 2, checksum: published.checksum });
  expect(await liveIds()).toEqual(first);
});

it('leaves an audit log of all of it, which the doctor verifies', async () => {
  const { rows } = await api.sql.query<{ actor: string; action: string; detail: Record<string, unknown> }>(
    `select actor, action, detail from analytics.backfill_audit_log where batch_id = 'journey' order by audit_id`,
  );
  const count = (action: string) => rows.filter((row) => row.action === action).length;
  const actions = ['submit', 'plan', 'approval', 'canary_passed', 'gates', 'rollback', 'freeze', 'freeze_changed'];
  expect(Object.fromEntries(actions.map((action) => [action, count(action)]))).toEqual({
    ...{ submit: 1, rollback: 1 },
    // Once in each attempt; each approval is one of four.
    ...{ plan: 2, approval: 8, canary_passed: 2, gates: 2, freeze: 2, freeze_changed: 2 },
  });
  // What was signed is what the log says about it.
  const boundTo = (stage: string) =>
    rows.filter(({ detail }) => detail.stage === stage).map(({ detail }) => String(detail.bound_hash));
  const hashes = (action: string, name: string) =>
    rows.filter((row) => row.action === action).map((row) => row.detail[name]);
  expect(new Set(boundTo('run'))).toEqual(new Set(hashes('plan', 'plan_hash')));
  expect(new Set(boundTo('publish'))).toEqual(new Set(hashes('gates', 'gate_set_hash')));
  // The publish's entry is the last one of its transaction, and all that follows is of the report.
  expect(rows.findLast(({ action }) => action === 'status')?.detail).toMatchObject({ to: 'published' });

  const anchored = await waitFor('the publish to be anchored', async () => {
    const { rows: ends } = await api.sql.query<{ anchored: string; published: string | null }>(
      `select anchored_no as anchored, (select max(chain_no) from analytics.backfill_audit_log where detail ->> 'to' = 'published') as published
         from analytics.backfill_audit_chain`,
    );
    const [end] = ends;
    return end?.published != null && Number(end.anchored) >= Number(end.published) ? Number(end.anchored) : undefined;
  });
  const { json: report } = await api.call('GET', '/v1/batches/journey/report.json', 'viewer');
  const head = report.audit_head as { chain_no: number; mac: string };
  const { rows: entries } = await api.sql.query('select mac from analytics.backfill_audit_log where chain_no = $1', [
    head.chain_no,
  ]);
  expect(entries).toEqual([{ mac: head.mac }]);
  expect(anchored).toBeGreaterThan(0);
  const { stdout } = await runCommandLine(['doctor'], pipeline.env);
  expect(stdout).toContain('audit log: in order');
});
