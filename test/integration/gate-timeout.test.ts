import { afterAll, beforeAll, expect, it } from 'vitest';
import { accessLog } from '../support/access-log.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { runCommandLine } from '../support/command-line.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { runBatch } from '../support/run-batch.ts';

let pipeline: Pipeline;
let api: TestApi;
beforeAll(async () => {
  pipeline = await startPipeline({ env: { VERIFIER_GATE_TIMEOUT_SECONDS: '5' } });
  api = await startApi({ environment: pipeline, config: pipeline.config });
});
afterAll(async () => {
  await api?.dispose();
  await pipeline?.dispose();
});

interface GateRow {
  gate: string;
  observed: number | null;
  passed: boolean;
  error: string | null;
}

async function gates(batchId: string): Promise<GateRow[]> {
  const { rows } = await pipeline.sql.query<GateRow>(
    `select gate, observed, passed, detail ->> 'error' as error from analytics.backfill_gate_results
      where batch_id = $1
        and run_no = (select max(run_no) from analytics.backfill_gate_results where batch_id = $1)
      order by gate`,
    [batchId],
  );
  return rows;
}

it('fails the gates whose statements take too long, with the error, and measures the others', async () => {
  expect(await runBatch(pipeline, 'slow', { 'a.log': accessLog(0, 200) })).toMatchObject({
    status: 'awaiting_publish_approval',
  });
  const before = await gates('slow');
  // A table that takes its time: as on a disk that is about to fail.
  await pipeline.sql.query(`
    alter table analytics.backfill_lineage rename to backfill_lineage_itself;
    create view analytics.backfill_lineage as
      select l.* from analytics.backfill_lineage_itself l
       where exists (select from pg_sleep(600) where l.line_no is not null)`);
  try {
    await pipeline.change('slow', 'awaiting_publish_approval', 'verifying');
    const batch = await pipeline.rest('slow', ['gates_failed', 'halted', 'failed']);
    expect(batch.status_reason).toContain('balance: could not be measured: the query took longer than it may');
    const failed = (await gates('slow')).filter(({ passed }) => !passed);
    expect(failed.map(({ gate }) => gate)).toEqual(['balance', 'recount', 'sample']);
    for (const { observed, error } of failed) {
      expect([observed, error]).toEqual([null, 'the query took longer than it may, or was cancelled (57014)']);
    }
    const shown = await api.call('GET', '/v1/batches/slow', 'viewer');
    expect(shown.json).toMatchObject({
      status: 'gates_failed',
      gates: expect.arrayContaining([expect.objectContaining({ gate: 'balance', observed: null, passed: false })]),
    });
    const env = { BACKFILL_API_URL: api.url, BACKFILL_TOKEN_VIEWER: 'viewer' };
    const { code, stdout } = await runCommandLine(['status', 'slow'], env);
    expect([code, stdout]).toEqual([0, expect.stringContaining('the query took longer than it may')]);
    const others = (await gates('slow')).filter(({ passed }) => passed);
    expect(others).toEqual(before.filter(({ gate }) => !['balance', 'recount', 'sample'].includes(gate)));
  } finally {
    await pipeline.sql.query(`
      drop view analytics.backfill_lineage;
      alter table analytics.backfill_lineage_itself rename to backfill_lineage`);
  }
  expect((await api.call('POST', '/v1/batches/slow/verify', 'operator')).status).toBe(202);
  expect((await pipeline.rest('slow', ['awaiting_publish_approval', 'failed', 'halted'])).status).toBe(
    'awaiting_publish_approval',
  );
  expect(await gates('slow')).toEqual(before);
}, 150_000);
