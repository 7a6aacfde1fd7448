import { listBatchBalances } from '@backfill/core/db/queries/balance-by-batch-list';
import type { BatchRow } from '@backfill/core/db/queries/batch-get';
import { withTransaction } from '@backfill/core/db/transaction';
import { resumeBatch } from '@backfill/core/dispatch/resume-batch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventLine, WINDOW } from '../support/app-events.ts';
import { KEY_LAYOUTS } from '../support/environment.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';

// A claim becomes ownership when its batch is published: the first to publish wins.
describe.each(KEY_LAYOUTS)('dedup store %s', (layout) => {
  let pipeline: Pipeline;
  beforeAll(async () => {
    pipeline = await startPipeline({ layout, env: { TRANSFORMER_PART_LINES: '40' } });
  });
  afterAll(() => pipeline.dispose());

  /** Imports the events [first, end), and waits until the batch rests. */
  async function run(batchId: string, first: number, end: number, maxOverlap = 1): Promise<BatchRow> {
    const lines = Array.from({ length: end - first }, (_, at) => eventLine(first + at));
    await pipeline.upload(batchId, { 'a.ndjson': lines.map((line) => `${line}\n`).join('') });
    await pipeline.submit({ batchId, source: 'app', window: WINDOW, request: { max_overlap: maxOverlap } });
    return pipeline.rest(batchId);
  }

  async function publish(batchId: string): Promise<BatchRow> {
    await pipeline.change(batchId, 'awaiting_publish_approval', 'publishing');
    return pipeline.rest(batchId, ['published']);
  }

  /** Waits until a batch that went back to its gates rests again. */
  async function remeasured(batchId: string, before: BatchRow): Promise<BatchRow> {
    const batch = await pipeline.rest(batchId, ['awaiting_publish_approval', 'gates_failed']);
    const { rows } = await pipeline.sql.query<{ runs: number }>(
      'select max(run_no) as runs from analytics.backfill_gate_results where batch_id = $1',
      [batchId],
    );
    expect(rows[0]?.runs, `gate runs of ${batchId}`).toBe(2);
    expect(batch.gate_set_hash).not.toBe(before.gate_set_hash);
    return batch;
  }

  const countBy = async (db: Pipeline['sql'], table: string, batchId: string) =>
    (await db.query(`select 1 from analytics.${table} where batch_id = $1`, [batchId])).rowCount;
  const owned = async (batchId: string) => ({
    live: await countBy(pipeline.sql, 'events', batchId),
    keys: await countBy(pipeline.keys, 'backfill_event_checkpoint', batchId),
  });
  const books = async (batchId: string) => {
    const [balance] = await listBatchBalances(pipeline.runtime.pool, [batchId]);
    return balance && { inserted: balance.inserted, other_batch: balance.other_batch, live: balance.live };
  };

  it('takes over what an abandoned batch claims, and the abandoned one counts it as overlap when it wakes up', async () => {
    await run('abandoned', 0, 100, 0.001);
    await pipeline.sql.query(`update analytics.backfill_batches set status = 'halted' where batch_id = 'abandoned'`);
    const heir = await run('heir', 50, 150);
    expect([heir.status, heir.row_count]).toEqual(['awaiting_publish_approval', 100]);
    // Until it is published it owns none of it, and its flags say how things were at the import.
    expect(await books('heir')).toEqual({ inserted: 50, other_batch: 50, live: 0 });
    expect(await owned('abandoned')).toEqual({ live: 0, keys: 100 });

    const published = await publish('heir');
    expect(published.row_count).toBe(100);
    expect(published.status_reason).toMatch('100 events, 50 of them taken over');
    expect(await books('heir')).toEqual({ inserted: 100, other_batch: 0, live: 0 });
    expect(await owned('heir')).toEqual({ live: 100, keys: 100 });
    expect(await owned('abandoned')).toEqual({ live: 0, keys: 50 });
    const { rows } = await pipeline.sql.query(
      `select loser_batch_id, winner_batch_id, count(*)::int as n from analytics.backfill_losers group by 1, 2`,
    );
    expect(rows).toEqual([{ loser_batch_id: 'abandoned', winner_batch_id: 'heir', n: 50 }]);

    await withTransaction(pipeline.runtime.pool, 'test', (client) => resumeBatch(client, 'abandoned'));
    const awake = await pipeline.rest('abandoned', ['gates_failed']);
    expect(awake.status_reason).toMatch('overlap: 0.5 observed, 0.001 allowed');
  });

  it('sends a batch whose events were taken back to its gates, and publishes it without them', async () => {
    const before = await run('owner', 1_000, 1_100);
    await run('first', 1_099, 1_101);
    await publish('first');
    const after = await remeasured('owner', before);
    expect([after.status, after.row_count]).toEqual(['awaiting_publish_approval', 99]);
    expect((await publish('owner')).row_count).toBe(99);
    expect(await books('owner')).toEqual({ inserted: 99, other_batch: 1, live: 0 });
    expect(await owned('owner')).toEqual({ live: 99, keys: 99 });
    expect(await owned('first')).toEqual({ live: 2, keys: 2 });
  });

  it('sends a batch that meant to take events over back to its gates when their owner publishes', async () => {
    await run('claimant', 2_000, 2_020);
    const before = await run('rival', 2_010, 2_030);
    expect(before.row_count).toBe(20);
    await publish('claimant');
    const after = await remeasured('rival', before);
    expect(after.row_count).toBe(10);
    expect((await publish('rival')).row_count).toBe(10);
    expect(await owned('rival')).toEqual({ live: 10, keys: 10 });
  });

  it('hands what a rolled back batch had published to an unpublished one that delivered it too', async () => {
    await run('taken-back', 3_000, 3_020);
    await publish('taken-back');
    const before = await run('next', 3_010, 3_030);
    expect(before.row_count).toBe(10);
    await pipeline.change('taken-back', 'published', 'rolling_back');
    await pipeline.rest('taken-back', ['rolled_back']);
    expect((await remeasured('next', before)).row_count).toBe(20);
    expect((await publish('next')).row_count).toBe(20);
    expect(await owned('next')).toEqual({ live: 20, keys: 20 });
    expect(await books('next')).toEqual({ inserted: 20, other_batch: 0, live: 0 });
  });

  it('lets one of two win each event that both publish at once', async () => {
    await run('left', 4_000, 4_300);
    await run('right', 4_100, 4_400);
    // Both have the go before one of them can be through and send the other back to its gates.
    await Promise.all(['left', 'right'].map((id) => pipeline.change(id, 'awaiting_publish_approval', 'publishing')));
    await Promise.all(['left', 'right'].map((id) => pipeline.rest(id, ['published'])));
    const [left, right] = [await owned('left'), await owned('right')];
    expect((left.live ?? 0) + (right.live ?? 0)).toBe(400);
    expect(left.keys).toBe(left.live);
    expect(right.keys).toBe(right.live);
    const { rows } = await pipeline.sql.query(
      `select event_id from analytics.events where batch_id in ('left', 'right') group by 1 having count(*) > 1`,
    );
    expect(rows).toEqual([]);
  });

  it('does not publish what somebody added to the rows to take over after they were signed', async () => {
    await run('holder', 5_000, 5_010);
    await publish('holder');
    await run('tampered', 5_000, 5_020);
    await pipeline.sql.query(
      `update analytics.backfill_losers set to_publish = true where loser_batch_id = 'tampered'`,
    );
    await pipeline.change('tampered', 'awaiting_publish_approval', 'publishing');
    const failed = await pipeline.rest('tampered', ['failed']);
    expect(failed.status_reason).toMatch('not the ones that were verified and signed');
  });
});
