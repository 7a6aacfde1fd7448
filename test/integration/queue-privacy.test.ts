import { rollback } from '@backfill/core/contracts/rollback';
import { createWorkerConnection } from '@backfill/core/queue/connection';
import { createConsumer } from '@backfill/core/queue/consumer';
import { createProducer } from '@backfill/core/queue/producer';
import { Redis } from 'ioredis';
import { expect, inject, it } from 'vitest';
import { waitFor } from '../support/wait-for.ts';

const QUOTING = new TypeError('bad value "jane.doe@example.org 203.0.113.7"');

it.each([
  ['a foreign error', 'queue-privacy', () => Promise.resolve()],
  ['an error of what follows a failure', 'queue-privacy-after', () => Promise.reject(QUOTING)],
])('keeps what %s quotes out of Redis', async (_what, prefix, onError) => {
  const url = inject('servers').REDIS_URL ?? '';
  const connection = createWorkerConnection(url);
  const admin = new Redis(url);
  const producer = createProducer(rollback, admin, prefix);
  const fail = () => {
    throw QUOTING;
  };
  const consumer = createConsumer(
    rollback,
    { tombstone: fail, window: fail, snapshot: fail },
    {
      connection,
      prefix,
      concurrency: 1,
      lockMs: 15_000,
      onDone: () => Promise.resolve(),
      onError,
      onWorkerError: () => undefined,
    },
  );
  await producer.send([
    { kind: 'tombstone', jobId: 'tombstone_1_1', payload: { v: 1, batch_id: 'b', batch_no: 1, epoch: 1 } },
  ]);
  consumer.start();
  const job = await waitFor('the job to have failed once', async () => {
    const found = await admin.hgetall(`${prefix}:rollback:tombstone_1_1`);
    return found.failedReason === undefined ? undefined : found;
  });
  await consumer.stop();
  await producer.close();
  connection.disconnect();
  admin.disconnect();
  expect(job.failedReason).toBe('TypeError');
  expect(JSON.stringify(job)).not.toMatch(/jane|203\.0/);
});
