import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ACCESS_WINDOW, accessLog } from '../support/access-log.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { runCommandLine } from '../support/command-line.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';

// Two installations with the same configuration and keys: what runs in the one is rehearsed in the other.
let staging: Pipeline;
let production: Pipeline;
let api: TestApi;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'backfill-rehearsal-'));
  staging = await startPipeline();
  production = await startPipeline();
  await production.config.editPolicy((policy) => {
    Object.assign(policy.approvals, { rehearsal: { sources: { 'web-access': true } } });
  });
  api = await startApi({ environment: production, config: production.config });
}, 60_000);
afterAll(async () => {
  await api?.dispose();
  await production?.dispose();
  await staging?.dispose();
  await rm(folder, { recursive: true, force: true });
});

async function run(pipeline: Pipeline, batchId: string, log: string, source = 'web-access') {
  await pipeline.upload(batchId, { 'a.log': log });
  await pipeline.submit({ batchId, source, window: ACCESS_WINDOW });
  return pipeline.rest(batchId);
}

async function stagedReport(batchId: string): Promise<string> {
  const { store, config } = staging.runtime;
  const body = await store.get(config.storage.archiveBucket, `reports/${batchId}/report.json`);
  const file = path.join(folder, `${batchId}.json`);
  await writeFile(file, Buffer.concat(await body.toArray()));
  return file;
}

const commandLine = (...args: string[]) =>
  runCommandLine(args, {
    BACKFILL_API_URL: api.url,
    ...Object.fromEntries(
      ['viewer', 'operator', 'product_owner', 'data_privacy_officer'].map((role) => [
        `BACKFILL_TOKEN_${role.toUpperCase()}`,
        role,
      ]),
    ),
  });

it('waits for the rehearsal that the policy asks for, and says so', async () => {
  expect((await run(production, 'real', accessLog(0, 50))).status).toBe('awaiting_run_approval');
  const { code, stdout } = await commandLine('status', 'real');
  expect(code).toBe(0);
  expect(stdout).toContain('missing: the run waits for the report of a run with the same recipe elsewhere');
  expect(stdout).toContain('./backfill rehearsal real --report FILE');
  // Of another source nobody asks for one.
  const other = (await api.call('GET', '/v1/batches/real', 'viewer')).json;
  expect(other.rehearsal).toMatchObject({ required: true, recorded: null });
});

it('refuses a run of another recipe', async () => {
  await staging.config.editPolicy((policy) => {
    policy.limits.max_line_bytes = 4_096;
  });
  expect((await run(staging, 'other', accessLog(0, 50))).status).toBe('awaiting_publish_approval');
  const { code, stderr } = await commandLine('rehearsal', 'real', '--report', await stagedReport('other'));
  expect([code, stderr]).toEqual([1, expect.stringContaining('That run had the recipe')]);
  await staging.config.editPolicy((policy) => {
    policy.limits.max_line_bytes = 1_048_576;
  });
});

it('begins once the run elsewhere is on record, and its report says whose it was', async () => {
  expect((await run(staging, 'dress', accessLog(100, 120))).status).toBe('awaiting_publish_approval');
  const { code, stdout } = await commandLine('rehearsal', 'real', '--report', await stagedReport('dress'));
  expect([code, stdout]).toEqual([0, expect.stringContaining('dress went well, says operator')]);
  await production.rest('real', ['awaiting_publish_approval']);
  const { json } = await api.call('GET', '/v1/batches/real/report.json', 'viewer');
  expect(json).toMatchObject({
    recipe_hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    rehearsal: { required: true, recorded: { rehearsed_batch_id: 'dress', recorded_by: 'operator' } },
  });
});

it('begins when it is resumed, if the rehearsal came while it was halted', async () => {
  expect((await run(production, 'halted', accessLog(300, 350))).status).toBe('awaiting_run_approval');
  expect((await commandLine('halt', 'halted')).code).toBe(0);
  const { code } = await commandLine('rehearsal', 'halted', '--report', await stagedReport('dress'));
  expect([code, (await production.rest('halted')).status]).toEqual([0, 'halted']);
  const resumed = await api.call('POST', '/v1/batches/halted/resume', 'operator');
  expect([resumed.status, resumed.json.status]).toEqual([202, 'preparing']);
  await production.rest('halted', ['awaiting_publish_approval']);
});

it('begins without a call, if something else let it wait on', async () => {
  expect((await run(production, 'by-hand', accessLog(400, 450))).status).toBe('awaiting_run_approval');
  expect((await commandLine('halt', 'by-hand')).code).toBe(0);
  expect((await commandLine('rehearsal', 'by-hand', '--report', await stagedReport('dress'))).code).toBe(0);
  const client = await production.sql.connect();
  await client.query(`set analytics.actor = 'somebody'`);
  await client.query(
    `update analytics.backfill_batches set status = 'awaiting_run_approval' where batch_id = 'by-hand'`,
  );
  client.release(true);
  await production.rest('by-hand', ['awaiting_publish_approval']);
  const { rows } = await production.sql.query(
    `select actor from analytics.backfill_audit_log
      where batch_id = 'by-hand' and action = 'status' and detail ->> 'to' = 'preparing'`,
  );
  expect(rows).toEqual([{ actor: 'reconciler' }]);
});

it('is told on the command line what stands between people', async () => {
  expect((await commandLine('halt', 'real')).code).toBe(0);
  const raised = await commandLine('escalate', 'real', '--why', 'stopped for nothing', '--as', 'product_owner');
  expect([raised.code, raised.stdout]).toEqual([0, expect.stringContaining('not decided yet')]);
  expect((await commandLine('escalate', 'real', '--decide', '1', '--why', 'x')).code).toBe(2);
  const decision = ['--decide', '1', '--role', 'data_privacy_officer', '--decision', 'go on', '--why', 'all is right'];
  const decided = await commandLine('escalate', 'real', ...decision);
  expect([decided.code, decided.stdout]).toEqual([
    0,
    expect.stringContaining('data_privacy_officer (data_privacy_officer) decided: go on'),
  ]);
  await production.sql.query(
    `insert into analytics.backfill_incidents (batch_id, kind, summary) values ('real', 'crash_loop', 'a fault')`,
  );
  const open = await commandLine('status', 'real');
  expect(open.stdout).toMatch(/\d+ crash_loop, post-mortem due .*: a fault/);
  const number = /(\d+) crash_loop/.exec(open.stdout)?.[1] ?? '';
  const closed = await commandLine('incident', 'real', '--close', number, '--note', 'https://wiki.example.eu/1');
  expect([closed.code, closed.stdout]).toEqual([0, expect.stringMatching(/crash_loop, closed /)]);
});
