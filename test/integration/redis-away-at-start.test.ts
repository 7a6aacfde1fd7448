import { once } from 'node:events';
import net from 'node:net';
import { promisify } from 'node:util';
import { rollback } from '@backfill/core/contracts/rollback';
import { createWorkerConnection } from '@backfill/core/queue/connection';
import { createConsumer } from '@backfill/core/queue/consumer';
import { createProducer } from '@backfill/core/queue/producer';
import { Redis } from 'ioredis';
import { expect, inject, it } from 'vitest';
import { waitFor } from '../support/wait-for.ts';

async function listen(server: net.Server, port = 0): Promise<number> {
  await once(server.listen(port, '127.0.0.1'), 'listening');
  return (server.address() as net.AddressInfo).port;
}

it('consumes once Redis is there, although it was away when the worker started', async () => {
  const redis = new URL(inject('servers').REDIS_URL ?? '');
  const front = net.createServer((socket) => {
    const server = net.connect(Number(redis.port), redis.hostname);
    socket.pipe(server).pipe(socket);
    for (const end of [socket, server]) end.on('error', () => undefined);
  });
  const late = new URL(redis);
  late.port = String(await listen(front));
  await promisify(front.close).call(front);
  const prefix = 'redis-away-at-start';
  const failures: string[] = [];
  const done: string[] = [];
  const connection = createWorkerConnection(late.href);
  connection.on('error', (error: NodeJS.ErrnoException) => failures.push(error.code ?? ''));
  const succeed = () => Promise.resolve();
  const consumer = createConsumer(
    rollback,
    { tombstone: succeed, window: succeed, snapshot: succeed },
    {
      connection,
      prefix,
      concurrency: 1,
      lockMs: 15_000,
      onDone: async ({ jobId }) => {
        done.push(jobId);
      },
      onError: () => Promise.resolve(),
      onWorkerError: () => undefined,
    },
  );
  consumer.start();
  await waitFor('a first connection to be refused', async () => failures.includes('ECONNREFUSED') || undefined);

  await listen(front, Number(late.port));
  const admin = new Redis(redis.href);
  const producer = createProducer(rollback, admin, prefix);
  await producer.send([
    { kind: 'tombstone', jobId: 'tombstone_1_1', payload: { v: 1, batch_id: 'b', batch_no: 1, epoch: 1 } },
  ]);
  await waitFor('the job to be done', async () => done.length > 0 || undefined);
  expect(done).toEqual(['tombstone_1_1']);
  expect(consumer.isConsuming()).toBe(true);

  await consumer.stop();
  await producer.close();
  connection.disconnect();
  admin.disconnect();
  front.close();
});
