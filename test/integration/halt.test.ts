import { withTransaction } from '@backfill/core/db/transaction';
import { resumeBatch } from '@backfill/core/dispatch/resume-batch';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ACCESS_WINDOW, accessLog } from '../support/access-log.ts';
import { batchDigest } from '../support/digest.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await startPipeline({
    importers: 2,
    env: { TRANSFORMER_PART_LINES: '200', TRANSFORMER_CHUNK_BYTES: '50000' },
  });
});
afterAll(() => pipeline.dispose());

const resume = (batchId: string) =>
  withTransaction(pipeline.runtime.pool, 'test', (client) => resumeBatch(client, batchId));
const halt = (batchId: string) =>
  pipeline.sql.query(`update analytics.backfill_batches set status = 'halted' where batch_id = $1`, [batchId]);

it('stops at every stage by hand and goes on where it was, to the same rows', async () => {
  const files = { 'a.log': accessLog(0, 4_000), 'b.log': accessLog(4_000, 8_000) };
  await pipeline.upload('smooth', files);
  await pipeline.submit({ batchId: 'smooth', source: 'web-access', window: ACCESS_WINDOW });
  await pipeline.rest('smooth', ['awaiting_publish_approval']);
  const undisturbed = await batchDigest(pipeline.sql, 'smooth');
  await pipeline.change('smooth', 'awaiting_publish_approval', 'rolling_back');
  await pipeline.rest('smooth', ['rolled_back']);

  await pipeline.upload('bumpy', files);
  await pipeline.submit({ batchId: 'bumpy', source: 'web-access', window: ACCESS_WINDOW });
  for (const status of ['planning', 'preparing', 'canary', 'importing', 'verifying'] as const) {
    const reached = await pipeline.rest('bumpy', [status, 'awaiting_publish_approval']);
    if (reached.status === 'awaiting_publish_approval') break;
    // It may have moved on since, which is a good moment too.
    await halt('bumpy');
    const halted = await pipeline.rest('bumpy', ['halted']);
    expect(halted.status_reason).toBe('set to halted by sql:postgres');
    await resume('bumpy');
  }
  await pipeline.rest('bumpy', ['awaiting_publish_approval']);
  expect(await batchDigest(pipeline.sql, 'bumpy')).toEqual(undisturbed);
});

it('refuses every other change by hand, and impossible ones from anybody', async () => {
  const set = (status: string) =>
    pipeline.sql.query(`update analytics.backfill_batches set status = $1 where batch_id = 'bumpy'`, [status]);
  await expect(set('published')).rejects.toThrow('cannot go from awaiting_publish_approval to published');
  await expect(set('publishing')).rejects.toThrow('cannot be set to publishing by hand');
  await expect(set('nonsense')).rejects.toThrow('cannot go from');
  await expect(
    pipeline.sql.query(`update analytics.backfill_batches set epoch = 1, attempt = 9 where batch_id = 'bumpy'`),
  ).rejects.toThrow('cannot be changed by hand');
  await expect(
    pipeline.sql.query(
      `update analytics.backfill_batches set window_end = window_end + interval '1 day', row_count = 5`,
    ),
  ).rejects.toThrow('cannot be changed by hand');
  await expect(pipeline.sql.query('update analytics.backfill_gate_results set passed = true')).rejects.toThrow(
    'append-only',
  );
  await expect(
    pipeline.sql.query(
      `insert into analytics.backfill_batches
         (batch_id, source, reason, input, window_start, window_end, request, request_sha256, submitted_by, status)
       select 'forged', source, reason, input, window_start, window_end, request, '', '', 'publishing'
         from analytics.backfill_batches where batch_id = 'bumpy'`,
    ),
  ).rejects.toThrow('cannot be changed by hand');
  await expect(
    pipeline.sql.query(`update analytics.events_backfill_staging set payload = '{}' where batch_id = 'bumpy'`),
  ).rejects.toThrow('append-only');
  await expect(pipeline.sql.query('delete from analytics.backfill_audit_log')).rejects.toThrow('append-only');
});
