import type { DryRun } from '@backfill/core/transform/dry-run';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { ACCESS_WINDOW, accessLine, accessLog } from '../support/access-log.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { type CommandResult, runCommandLine } from '../support/command-line.ts';
import { batchDigest } from '../support/digest.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { runBatch } from '../support/run-batch.ts';

// Each call of the command line is a process of its own, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 180_000 });

let pipeline: Pipeline;
let api: TestApi;
beforeAll(async () => {
  pipeline = await startPipeline({ importers: 2, env: { TRANSFORMER_PART_LINES: '400' } });
  api = await startApi({ environment: pipeline, config: pipeline.config });
});
afterAll(async () => {
  await api.dispose();
  await pipeline.dispose();
});

function backfill(...args: string[]): Promise<CommandResult> {
  const tokens = { BACKFILL_TOKEN_OPERATOR: 'operator', BACKFILL_TOKEN_VIEWER: 'viewer' };
  return runCommandLine(args, { ...pipeline.env, ...tokens, BACKFILL_API_URL: api.url });
}

const askForApprovals = (roles: string[]) =>
  pipeline.config.editPolicy((policy) => {
    policy.approvals.run = roles;
  });

async function counts(batchId: string) {
  const { rows } = await pipeline.sql.query(
    `select sum(inserted)::int as inserted, sum(duplicate_same_batch)::int as same_batch,
            sum(duplicate_other_batch)::int as other_batch, sum(duplicate_live)::int as live
       from analytics.backfill_import_parts where batch_id = $1 and state = 'imported'`,
    [batchId],
  );
  return rows[0];
}

it('imports so many events and halts, and the rest when it is called again, to the same rows', async () => {
  const files = { 'a.log': `no access log\n${accessLog(0, 1_500)}`, 'b.log': accessLog(1_500, 2_500) };
  await runBatch(pipeline, 'whole', files);
  const undisturbed = await batchDigest(pipeline.sql, 'whole');
  await pipeline.change('whole', 'awaiting_publish_approval', 'rolling_back');
  await pipeline.rest('whole', ['rolled_back']);

  await askForApprovals(['product_owner']);
  await pipeline.upload('limited', files);
  await pipeline.submit({ batchId: 'limited', source: 'web-access', window: ACCESS_WINDOW });
  // Before anything is approved: the limit is kept, and the command tells what the batch waits for.
  const early = await backfill('import', '--batch-id', 'limited', '--limit', '1600');
  expect([early.code, early.stderr]).toEqual([0, '']);
  expect(early.stdout).toMatch(/limited: awaiting_run_approval[\s\S]*approve limited --role product_owner/);
  const approval = { stage: 'run', role: 'product_owner', decision: 'approve' };
  expect((await api.call('POST', '/v1/batches/limited/approvals', 'product_owner', approval)).status).toBe(201);
  const limited = await backfill('import', '--batch-id', 'limited', '--limit', '1600');
  expect([limited.code, limited.stderr]).toEqual([0, '']);
  expect(limited.stdout).toMatch(/limited: halted[\s\S]*the limit of 1600 events is reached and the canary passed/);
  expect(limited.stdout).toMatch(/import --batch-id limited +imports the rest/);
  expect(await counts('limited')).toEqual({ inserted: 1_600, same_batch: 0, other_batch: 0, live: 0 });
  const late = await backfill('import', '--batch-id', 'limited', '--limit', '5');
  expect([late.code, late.stderr]).toEqual([1, expect.stringMatching('its import has begun')]);

  const rest = await backfill('import', '--batch-id', 'limited');
  expect([rest.code, rest.stderr]).toEqual([0, '']);
  expect(rest.stdout).toContain('limited: awaiting_publish_approval');
  expect(await batchDigest(pipeline.sql, 'limited')).toEqual(undisturbed);
  expect(await api.call('GET', '/v1/batches/limited', 'viewer')).toMatchObject({
    json: { import_limit: null, canary_passed: true, row_count: 2_500 },
  });
  await askForApprovals([]);
});

it('does not halt at a limit that the batch does not reach', async () => {
  await askForApprovals(['product_owner']);
  await pipeline.upload('below', { 'a.log': accessLog(3_000, 3_100) });
  await pipeline.submit({ batchId: 'below', source: 'web-access', window: ACCESS_WINDOW });
  await pipeline.rest('below', ['awaiting_run_approval']);
  const limit = await api.call('POST', '/v1/batches/below/import-limit', 'operator', { events: 100 });
  expect([limit.status, limit.json.import_limit]).toEqual([200, 100]);
  expect((await api.call('POST', '/v1/batches/below/import-limit', 'viewer', { events: 1 })).status).toBe(403);
  expect((await api.call('POST', '/v1/batches/below/import-limit', 'operator', { events: 0 })).status).toBe(422);
  await askForApprovals([]);
  await pipeline.change('below', 'awaiting_run_approval', 'preparing');
  const batch = await pipeline.rest('below', ['awaiting_publish_approval', 'halted']);
  expect([batch.status, batch.import_limit, batch.row_count]).toEqual(['awaiting_publish_approval', null, 100]);
});

it('foretells inserts and duplicates by kind and owner, stores nothing, and the import gives just that', async () => {
  // Repeats within the batch count where its identity has no occurrence.
  await pipeline.config.editSource('web-access', (source) => {
    source.identity = 'payload';
  });
  await pipeline.config.editPolicy((policy) => {
    Object.assign(policy.gates.default, { duplicate_ratio: 1, max_overlap: 1 });
  });
  await runBatch(pipeline, 'owner-1', { 'a.log': accessLog(10_000, 10_020) });
  await runBatch(pipeline, 'owner-2', { 'a.log': accessLog(10_020, 10_050) });
  await pipeline.change('owner-2', 'awaiting_publish_approval', 'publishing');
  await pipeline.rest('owner-2', ['published']);
  await runBatch(pipeline, 'gone', { 'a.log': accessLog(10_100, 10_105) });
  await pipeline.sql.query(
    `insert into analytics.events (event_id, source, event_name, schema_version, event_ts, session_id, subject_id, payload)
     select event_id, source, event_name, schema_version, event_ts, session_id, subject_id, payload
       from analytics.events_backfill_staging where batch_id = 'gone'`,
  );
  await pipeline.change('gone', 'awaiting_publish_approval', 'rolling_back');
  await pipeline.rest('gone', ['rolled_back']);

  await askForApprovals(['product_owner']);
  const repeats = `${accessLine(10_200)}\n`.repeat(3) + `${accessLine(10_003)}\n`.repeat(2);
  await pipeline.upload('next', { 'a.log': accessLog(10_000, 10_110) + repeats, 'b.log': accessLog(10_190, 10_201) });
  await pipeline.submit({ batchId: 'next', source: 'web-access', window: ACCESS_WINDOW });
  await pipeline.rest('next', ['awaiting_run_approval']);
  const { code, stdout, stderr } = await backfill('import', '--dry-run', '--batch-id', 'next', '--json');
  expect([code, stderr]).toEqual([0, '']);
  const { balance, duplicates, owners } = JSON.parse(stdout) as DryRun;
  expect({ inserted: balance.inserted, ...duplicates, owners }).toEqual({
    ...{ inserted: 66, same_batch: 3, other_batch: 52, live: 5 },
    owners: [
      { batch_id: 'owner-1', events: 22 },
      { batch_id: 'owner-2', events: 30 },
    ],
  });
  const text = await backfill('import', '--dry-run', '--batch-id', 'next');
  expect(text.stdout).toMatch(/inserted +66\n[\s\S]*\(other_batch\) +52\n[\s\S]*owner-2 +30 rows/);
  const wrong = await backfill('import', '--dry-run', '--limit', '5', '--batch-id', 'next');
  expect([wrong.code, wrong.stderr]).toEqual([2, '--limit does not go with --dry-run.\n']);
  const { rows } = await pipeline.sql.query(
    `select 1 from analytics.backfill_event_checkpoint where batch_id = 'next'
     union all select 1 from analytics.backfill_import_parts where batch_id = 'next'`,
  );
  expect(rows).toEqual([]);

  await pipeline.change('next', 'awaiting_run_approval', 'preparing');
  await pipeline.rest('next', ['awaiting_publish_approval', 'gates_failed']);
  expect(await counts('next')).toEqual({ inserted: 66, same_batch: 3, other_batch: 52, live: 5 });
});
