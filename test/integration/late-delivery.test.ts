import type { Client } from '@backfill/core/db/pool';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ACCESS_WINDOW, accessLog } from '../support/access-log.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { waitFor } from '../support/wait-for.ts';

// Deliveries of live ingestion that have seen a batch's rows, and commit when the batch has been taken back.
let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await startPipeline();
});
afterAll(() => pipeline.dispose());

const DELIVER_SQL = `
  insert into analytics.events_log
    (event_id, source, event_name, schema_version, event_ts, session_id, subject_id, payload)
  select event_id, source, event_name, '9-9-9', event_ts, session_id, subject_id, payload
    from analytics.events_log where batch_id = $1 and deleted_at is null order by event_id limit 3
  on conflict do nothing`;

async function deliver(live: Client, batchId: string): Promise<void> {
  await live.query('begin');
  const { rowCount } = await live.query(DELIVER_SQL, [batchId]);
  expect(rowCount).toBe(0);
}

const ROLLBACKS = {
  'began before the rollback': async (live: Client, batchId: string) => {
    await deliver(live, batchId);
    await pipeline.change(batchId, 'published', 'rolling_back');
    await pipeline.rest(batchId, ['rolled_back']);
  },
  'began after the rollback, before it came to the rows': async (live: Client, batchId: string) => {
    const rollback = await pipeline.sql.connect();
    try {
      await rollback.query('begin; select pg_current_xact_id()');
      await deliver(live, batchId);
      await rollback.query('select analytics.tombstone_batch($1)', [batchId]);
      await rollback.query('commit');
    } finally {
      rollback.release();
    }
  },
};

describe.each(Object.entries(ROLLBACKS))('a delivery that %s', (_, rollBack) => {
  const batchId = `b${Object.values(ROLLBACKS).indexOf(rollBack)}`;
  const lines = [accessLog(0, 50), accessLog(100, 150)][Object.values(ROLLBACKS).indexOf(rollBack)] ?? '';
  const idsOf = async (condition: string) =>
    (
      await pipeline.sql.query<{ event_id: string; subject_id: string }>(
        `select event_id, subject_id from analytics.events where ${condition} order by event_id limit 3`,
      )
    ).rows;

  it('is live when it has committed, but for people who are suppressed by then', async () => {
    await pipeline.upload(batchId, { 'a.log': lines });
    await pipeline.submit({ batchId, source: 'web-access', window: ACCESS_WINDOW });
    await pipeline.rest(batchId, ['awaiting_publish_approval']);
    await pipeline.change(batchId, 'awaiting_publish_approval', 'publishing');
    await pipeline.rest(batchId, ['published']);
    const delivered = await idsOf(`batch_id = '${batchId}'`);
    const [suppressed] = delivered;
    const mine = `event_id in (${delivered.map(({ event_id }) => `'${event_id}'`).join()})`;

    const live = await pipeline.sql.connect();
    try {
      await rollBack(live, batchId);
      await pipeline.sql.query(
        `insert into analytics.privacy_suppressions (subject_id, reason) values ($1, 'erasure')`,
        [suppressed?.subject_id],
      );
      // Whoever looks through the rollback waits for the delivery.
      await waitFor(
        'the rollback to be seen',
        async () =>
          (await pipeline.sql.query('select from analytics.backfill_late_sweeps where horizon is not null'))
            .rowCount === 1 || undefined,
      );
      await pipeline.sql.query('select * from analytics.sweep_late_deliveries()');
      expect(await idsOf(mine)).toEqual([]);
      await live.query('commit');
    } finally {
      live.release();
    }

    const expected = delivered.filter(({ subject_id }) => subject_id !== suppressed?.subject_id);
    expect(expected.length).toBeGreaterThan(0);
    await waitFor('the rollback to be looked through', async () => {
      const { rowCount } = await pipeline.sql.query('select from analytics.backfill_late_sweeps');
      return rowCount === 0 || undefined;
    });
    expect(await idsOf(`${mine} and batch_id is null and schema_version = '9-9-9'`)).toEqual(expected);
    const { rows: audited } = await pipeline.sql.query(
      `select detail from analytics.backfill_audit_log where batch_id = $1 and action = 'late_deliveries'`,
      [batchId],
    );
    expect(audited).toEqual([{ detail: { events: expected.length } }]);
  });
});
