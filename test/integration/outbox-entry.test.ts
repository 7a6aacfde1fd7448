import { readEnvironment } from '@backfill/core/config/environment';
import { verification } from '@backfill/core/contracts/verification';
import type { Client } from '@backfill/core/db/pool';
import { getBatch } from '@backfill/core/db/queries/batch-get';
import { withTransaction } from '@backfill/core/db/transaction';
import { enqueueOpenWork } from '@backfill/core/dispatch/change-status';
import { createRuntime, type Runtime } from '@backfill/core/runtime/runtime';
import { createRuntimeConsumer, createWorkerService } from '@backfill/core/runtime/worker-service';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ACCESS_WINDOW } from '../support/access-log.ts';
import { createConfigDir } from '../support/config-dir.ts';
import { createTestEnvironment, type TestEnvironment } from '../support/environment.ts';
import { insertBatch } from '../support/insert-batch.ts';
import { waitFor } from '../support/wait-for.ts';

let environment: TestEnvironment;
let config: Awaited<ReturnType<typeof createConfigDir>>;
let runtime: Runtime;
let worker: ReturnType<typeof createWorkerService>;
const runs: string[] = [];

const entries = async () =>
  (await environment.sql.query<{ dispatched_at: Date | null }>('select dispatched_at from analytics.backfill_outbox'))
    .rows;

/** As a change of status does it: what it makes void is struck off, what it calls for is written down. */
async function callForIt(client: Client): Promise<void> {
  await client.query(`delete from analytics.backfill_outbox where batch_id = 'anew'`);
  const batch = await getBatch(client, 'anew');
  if (batch !== undefined) await enqueueOpenWork(client, batch);
}

async function callForItAnew(): Promise<void> {
  await withTransaction(runtime.pool, 'test', callForIt);
  // Which changes nothing in Redis: the job is there, and runs.
  await waitFor('it to be sent', async () => ((await entries())[0]?.dispatched_at ? true : undefined));
}

beforeAll(async () => {
  environment = await createTestEnvironment();
  config = await createConfigDir();
  runtime = createRuntime(readEnvironment('verifier', { ...environment.env, BACKFILL_CONFIG_DIR: config.dir }));
  const idle = () => Promise.resolve();
  const consumer = createRuntimeConsumer(runtime, verification, {
    report: async (payload) => {
      runs.push(payload.batch_id);
      if (runs.length === 1) await callForItAnew();
    },
    recount: idle,
    verify: idle,
    publish: idle,
  });
  worker = createWorkerService(runtime, [consumer]);
  await worker.start();
});
afterAll(async () => {
  await worker?.stop();
  await config?.remove();
  await environment?.dispose();
});

it('lets no run strike off work that was written down anew, under the same job, while it ran', async () => {
  await insertBatch(runtime, { batchId: 'anew', source: 'web-access', window: ACCESS_WINDOW });
  // A status at rest, past the guard of statuses: the reconciler would write down the work of any other one again.
  await withTransaction(runtime.pool, 'test', async (client) => {
    await client.query(`set local session_replication_role = replica`);
    await client.query(`update analytics.backfill_batches set status = 'gates_failed' where batch_id = 'anew'`);
    await callForIt(client);
  });
  await waitFor('the second run', async () => (runs.length > 1 ? true : undefined));
  await waitFor('its end', async () => ((await entries()).length === 0 ? true : undefined));
  expect(runs).toEqual(['anew', 'anew']);
});
