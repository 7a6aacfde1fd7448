import { readEnvironment } from '@backfill/core/config/environment';
import { insertOutboxEntries } from '@backfill/core/db/queries/outbox-insert-many';
import { dispatchDue, MOST_WAITING } from '@backfill/core/dispatch/dispatcher';
import { importEntry } from '@backfill/core/dispatch/outbox-entries';
import { createReconciler } from '@backfill/core/dispatch/reconcile';
import { createRuntime, type Runtime } from '@backfill/core/runtime/runtime';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ACCESS_WINDOW } from '../support/access-log.ts';
import { createConfigDir } from '../support/config-dir.ts';
import { createTestEnvironment, type TestEnvironment } from '../support/environment.ts';
import { insertBatch } from '../support/insert-batch.ts';
import { waitFor } from '../support/wait-for.ts';

// No worker runs here: what was sent waits.
let environment: TestEnvironment;
let config: Awaited<ReturnType<typeof createConfigDir>>;
let runtime: Runtime;
beforeAll(async () => {
  environment = await createTestEnvironment();
  config = await createConfigDir();
  runtime = createRuntime(readEnvironment('api', { ...environment.env, BACKFILL_CONFIG_DIR: config.dir }));
  await waitFor('the queues', async () => ((await runtime.checkDependencies()).redis === undefined ? true : undefined));
});
afterAll(async () => {
  await runtime.close();
  await config.remove();
  await environment.dispose();
});

const dispatch = () => dispatchDue(runtime.pool, runtime.producers);

/** Writes down the import of so many parts of a batch that is importing. */
async function addParts(batchId: string, first: number, parts: number): Promise<void> {
  await insertBatch(runtime, { batchId, source: 'web-access', window: ACCESS_WINDOW });
  // Without the way there: the triggers of the batches are left out.
  const client = await environment.sql.connect();
  await client.query(`set session_replication_role = replica`);
  await client.query(`update analytics.backfill_batches set status = 'importing' where batch_id = $1`, [batchId]);
  await client.query(`set session_replication_role = origin`);
  client.release();
  await insertOutboxEntries(
    runtime.pool,
    Array.from({ length: parts }, (_, n) => importEntry(batchId, { part_id: first + n, epoch: 1, is_canary: false })),
  );
}

async function sentOf(batchId: string): Promise<number> {
  const { rows } = await environment.sql.query<{ sent: number }>(
    `select count(*)::int as sent from analytics.backfill_outbox
      where batch_id = $1 and queue = 'transformed-events' and dispatched_at is not null`,
    [batchId],
  );
  return rows[0]?.sent ?? -1;
}

it('lets few jobs wait in Redis, so that a small batch is not far behind a large one', async () => {
  await addParts('large', 1, 400);
  await dispatch();
  await dispatch();
  expect(await sentOf('large')).toBe(MOST_WAITING);
  expect(await runtime.producers['transformed-events'].countWaiting()).toBe(MOST_WAITING);
});

it('sends the work of a small batch as soon as there is room, before more of the large one', async () => {
  await addParts('small', 1_001, 3);
  await dispatch();
  expect(await sentOf('small')).toBe(0);
  // Two jobs are finished: the small batch takes both places, although the large one's work is older.
  await runtime.producers['transformed-events'].remove(['import_1_1', 'import_2_1']);
  await environment.sql.query(`delete from analytics.backfill_outbox where job_id in ('import_1_1', 'import_2_1')`);
  await dispatch();
  expect([await sentOf('small'), await sentOf('large')]).toEqual([2, MOST_WAITING - 2]);
});

it('goes on although the plan of a batch says nothing of who has to approve it', async () => {
  await insertBatch(runtime, { batchId: 'damaged', source: 'web-access', window: ACCESS_WINDOW });
  const client = await environment.sql.connect();
  await client.query(`set session_replication_role = replica`);
  await client.query(
    `insert into analytics.backfill_plans (batch_id, attempt, plan_hash, recipe_hash, plan)
     values ('damaged', 1, 'p', 'r', '{}')`,
  );
  await client.query(
    `update analytics.backfill_batches set status = 'awaiting_run_approval', plan_hash = 'p' where batch_id = 'damaged'`,
  );
  client.release(true);
  const { pool, producers, logger } = runtime;
  const resolver = { kick: () => undefined, rest: async () => undefined };
  await createReconciler({ pool, producers, logger, resolver, sweeper: resolver })(pool);
  expect(await sentOf('damaged')).toBe(0);
});

it('is told of what was written down, when that is committed', async () => {
  const listener = await environment.sql.connect();
  const told: string[] = [];
  listener.on('notification', ({ channel }) => told.push(channel));
  await listener.query('listen backfill_outbox');
  const writer = await environment.sql.connect();
  await writer.query('begin');
  await insertOutboxEntries(writer, [importEntry('small', { part_id: 2_001, epoch: 1, is_canary: false })]);
  await listener.query('select 1');
  expect(told).toEqual([]);
  await writer.query('commit');
  writer.release();
  await waitFor('the notification', async () => (told.length > 0 ? true : undefined));
  expect(new Set(told)).toEqual(new Set(['backfill_outbox']));
  listener.release(true);
});
