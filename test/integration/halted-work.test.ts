import { readEnvironment } from '@backfill/core/config/environment';
import { enterBatchFence } from '@backfill/core/db/queries/batch-fence';
import { readRows } from '@backfill/core/db/read-rows';
import { createDispatcher } from '@backfill/core/dispatch/dispatcher';
import { createBatchReader } from '@backfill/core/dispatch/read-for-batch';
import { createRuntime, type Runtime } from '@backfill/core/runtime/runtime';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ACCESS_WINDOW } from '../support/access-log.ts';
import { createTestEnvironment, type TestEnvironment } from '../support/environment.ts';
import { insertBatch } from '../support/insert-batch.ts';
import { waitFor } from '../support/wait-for.ts';

// What a halt has to end although it waits for something else. Nothing but a dispatcher is at work here.
let environment: TestEnvironment;
let runtime: Runtime;
let dispatcher: ReturnType<typeof createDispatcher>;
/** Holds the dispatcher up in the middle of its round. */
let letGo: () => void;
beforeAll(async () => {
  environment = await createTestEnvironment();
  runtime = createRuntime(readEnvironment('api', { ...environment.env, BACKFILL_CONFIG_DIR: 'unused' }));
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  dispatcher = createDispatcher({
    databaseUrl: environment.env.DATABASE_URL ?? '',
    producers: {},
    logger: runtime.logger,
    sealer: runtime.sealer,
    // As long as Redis hangs, or a look at a large ledger lasts.
    reconcile: () => held,
  });
  dispatcher.start();
});
afterAll(async () => {
  letGo();
  await dispatcher.stop();
  await runtime.close();
  await environment.dispose();
});

const submit = (batchId: string) => insertBatch(runtime, { batchId, source: 'web-access', window: ACCESS_WINDOW });
const HALT = `update analytics.backfill_batches set status = 'halted' where batch_id = $1`;

it('ends a read that takes long, although the dispatcher is held up', async () => {
  await submit('read');
  const fence = await enterBatchFence(runtime.pool, 'read', ['submitted']);
  const read = createBatchReader(runtime.pool, fence);
  const reading = read(async (client) => {
    await environment.sql.query(HALT, ['read']);
    await client.query('select pg_sleep(50)');
  });
  await expect(reading).rejects.toMatchObject({ code: '57P01' });
  await expect(read((client) => client.query('select 1'))).rejects.toThrow('batch read is halted now');
});

it('ends work that began while a halt by hand was not committed yet', async () => {
  await submit('late');
  const person = new pg.Client({ connectionString: environment.env.DATABASE_URL });
  await person.connect();
  await person.query('begin');
  await person.query(HALT, ['late']);
  const fence = { batchId: 'late', epoch: 1, statuses: ['submitted'] as const };
  const work = createBatchReader(
    runtime.pool,
    fence,
  )(async (client) => {
    await person.query('commit');
    await client.query('select pg_sleep(50)');
  });
  await expect(work).rejects.toMatchObject({ code: '57P01' });
  await person.end();
});

it('ends the reading of many rows between two of them', async () => {
  await submit('rows');
  const fence = await enterBatchFence(runtime.pool, 'rows', ['submitted']);
  const reading = createBatchReader(
    runtime.pool,
    fence,
  )(async (client) => {
    const blocks = readRows<{ n: number }>(client, 'select n from generate_series(1, $1::int) n', [1_000], 100);
    await blocks.next();
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    await environment.sql.query(HALT, ['rows']);
    await waitFor('the server to end the session', async () =>
      (await environment.sql.query('select 1 from pg_stat_activity where pid = $1', [rows[0]?.pid])).rowCount === 0
        ? true
        : undefined,
    );
    for await (const _ of blocks) {
      // Until it fails.
    }
  });
  await expect(reading).rejects.toThrow();
});
