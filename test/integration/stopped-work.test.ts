import { withKeyTransaction } from '@backfill/core/db/key-transaction';
import { checkBatchFence, enterBatchFence } from '@backfill/core/db/queries/batch-fence';
import { claimKeys } from '@backfill/core/db/queries/key-claim';
import { getPart } from '@backfill/core/db/queries/part-import';
import { withTransaction } from '@backfill/core/db/transaction';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessLog } from '../support/access-log.ts';
import { KEY_LAYOUTS } from '../support/environment.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { runBatch } from '../support/run-batch.ts';
import { waitFor } from '../support/wait-for.ts';

// Processes that hang instead of dying.
let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await startPipeline();
});
afterAll(() => pipeline.dispose());

const halt = (batchId: string) =>
  pipeline.sql.query(`update analytics.backfill_batches set status = 'halted' where batch_id = $1`, [batchId]);

it('loses its transaction when it freezes between its last check and the commit', async () => {
  await runBatch(pipeline, 'frozen', { 'a.log': accessLog(0, 10) });
  const { pool } = pipeline.runtime;
  const frozen = withTransaction(pool, 'test', async (client) => {
    const fence = await enterBatchFence(client, 'frozen', ['awaiting_publish_approval']);
    await client.query(
      `insert into analytics.backfill_event_checkpoint (event_id, batch_id) values ('zombie', 'frozen')`,
    );
    await checkBatchFence(client, fence);
    await halt('frozen');
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    // As a stopped process would: nothing more is sent, until the server has given the session up.
    await waitFor('the server to end the session', async () =>
      (await pipeline.sql.query('select 1 from pg_stat_activity where pid = $1', [rows[0]?.pid])).rowCount === 0
        ? true
        : undefined,
    );
  });
  await expect(frozen).rejects.toThrow();
  const { rowCount } = await pipeline.sql.query(
    `select 1 from analytics.backfill_event_checkpoint where event_id = 'zombie'`,
  );
  expect(rowCount).toBe(0);
});

it('does not commit what a halt has overtaken', async () => {
  await runBatch(pipeline, 'overtaken', { 'a.log': accessLog(50, 60) });
  const work = withTransaction(pipeline.runtime.pool, 'test', async (client) => {
    const fence = await enterBatchFence(client, 'overtaken', ['awaiting_publish_approval']);
    await client.query(
      `insert into analytics.backfill_event_checkpoint (event_id, batch_id) values ('late', 'overtaken')`,
    );
    await halt('overtaken');
    await checkBatchFence(client, fence);
  });
  await expect(work).rejects.toThrow('batch overtaken was stopped');
  const { rowCount } = await pipeline.sql.query(
    `select 1 from analytics.backfill_event_checkpoint where event_id = 'late'`,
  );
  expect(rowCount).toBe(0);
});

it('does not hold up a rollback', async () => {
  await runBatch(pipeline, 'held', { 'a.log': accessLog(100, 110) });
  const hanging = new pg.Client({ connectionString: pipeline.env.DATABASE_URL });
  const ended = new Promise((resolve) => hanging.on('error', resolve));
  await hanging.connect();
  await hanging.query('begin');
  await enterBatchFence(hanging, 'held', ['awaiting_publish_approval']);
  await pipeline.change('held', 'awaiting_publish_approval', 'rolling_back');
  await pipeline.rest('held', ['rolled_back']);
  await ended;
});

it('gives up the dispatching of all batches when the dispatcher hangs', async () => {
  const hanging = new pg.Client({
    connectionString: pipeline.env.DATABASE_URL,
    application_name: 'backfill-dispatcher',
    options: '-c idle_session_timeout=2s',
  });
  hanging.on('error', () => undefined);
  await hanging.connect();
  const taken = hanging.query('select pg_advisory_lock(7403112202)');
  await pipeline.sql.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'backfill-dispatcher' and datname = current_database() and pid <> $1`,
    [(hanging as unknown as { processID: number }).processID],
  );
  await taken;
  expect((await runBatch(pipeline, 'after', { 'a.log': accessLog(200, 210) })).status).toBe(
    'awaiting_publish_approval',
  );
});

describe.each(KEY_LAYOUTS)('with the dedup store %s', (layout) => {
  let pipeline: Pipeline;
  beforeAll(async () => {
    pipeline = await startPipeline({ layout });
  });
  afterAll(() => pipeline.dispose());

  it('keeps the owner of a lost key until the loser has recorded it', async () => {
    await runBatch(pipeline, 'owner', { 'a.log': accessLog(300, 310) });
    const { pool, keyStore } = pipeline.runtime;
    const work = { batchId: 'owner', partId: 0, epoch: 1 };
    await withKeyTransaction({ pool, keyStore, actor: 'test', step: 'test', work }, async (client, keys) => {
      const { rows: parts } = await client.query<{ part_id: number }>(
        `select part_id from analytics.backfill_import_parts where batch_id = 'owner'`,
      );
      const part = await getPart(client, parts[0]?.part_id ?? 0);
      if (part === undefined) throw new Error('there is no part');
      // A twin of the part in another batch.
      const claims = await claimKeys(client, keys, { ...part, part_id: 0 });
      await pipeline.change('owner', 'awaiting_publish_approval', 'rolling_back');
      await waitFor('the rollback to wait', async () =>
        (
          await pipeline.sql.query(
            `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
              and query like '%tombstone_batch%'`,
          )
        ).rowCount === 1
          ? true
          : undefined,
      );
      const owners = claims.allNew ? [] : [...claims.holders.owners.values()];
      expect(owners).toEqual(Array.from({ length: 10 }, () => 'owner'));
      const { rowCount } = await (await keys.open()).query(
        `select 1 from analytics.backfill_event_checkpoint where batch_id = 'owner'`,
      );
      expect(rowCount).toBe(10);
      await keys.prepare();
    });
    await pipeline.rest('owner', ['rolled_back']);
  });
});
