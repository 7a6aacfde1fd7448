import { maintenance } from '@backfill/core/contracts/maintenance';
import { DeferError } from '@backfill/core/errors';
import { createProducerConnection, createWorkerConnection } from '@backfill/core/queue/connection';
import { type Consumer, createConsumer } from '@backfill/core/queue/consumer';
import { createProducer, type Producer } from '@backfill/core/queue/producer';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createTestEnvironment, type TestEnvironment } from '../support/environment.ts';
import { waitFor } from '../support/wait-for.ts';

// Jobs that are put off, and a clock that is set back by a day meanwhile.
const DAY_MS = 86_400_000;
let environment: TestEnvironment;
let producer: Producer;
let consumer: Consumer;
let disconnect: () => void;
/** What the next runs do. */
const runs: (() => void)[] = [];
let done = 0;

beforeAll(async () => {
  environment = await createTestEnvironment();
  const { REDIS_URL = '', BACKFILL_QUEUE_PREFIX: prefix = '' } = environment.env;
  const sending = createProducerConnection(REDIS_URL);
  const working = createWorkerConnection(REDIS_URL);
  disconnect = () => {
    sending.disconnect();
    working.disconnect();
  };
  await new Promise<void>((resolve) => sending.once('ready', () => resolve()));
  producer = createProducer(maintenance, sending, prefix);
  const work = async () => {
    runs.shift()?.();
    done += 1;
  };
  consumer = createConsumer(
    maintenance,
    { 'purge-staging': work, retention: work, erase: work },
    {
      ...{ connection: working, prefix, concurrency: 1, lockMs: 15_000 },
      onDone: async () => undefined,
      onError: async () => undefined,
      onWorkerError: () => undefined,
    },
  );
  consumer.start();
});
afterAll(async () => {
  vi.useRealTimers();
  await consumer.stop();
  await producer.close();
  disconnect();
  await environment.dispose();
});

const send = (jobId: string) => producer.send([{ kind: 'purge-staging', jobId, payload: { v: 1 } }]);

it('are sent again when they would come back a day too late, and no sooner', async () => {
  let putOff = 0;
  const later = () => {
    putOff += 1;
    throw new DeferError('not yet', 30_000);
  };
  runs.push(later);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + DAY_MS });
  await send('ahead');
  await waitFor('the job to be put off', async () => (putOff === 1 ? true : undefined));
  expect(await producer.findGone(['ahead', 'unknown'])).toEqual(['unknown']);
  vi.useRealTimers();
  runs.push(later);
  await send('in-time');
  await waitFor('the other to be put off', async () => (putOff === 2 ? true : undefined));
  expect(await producer.findGone(['in-time', 'ahead'])).toEqual(['ahead']);
  await producer.remove(['ahead']);
  await send('ahead');
  await waitFor('it to be done', async () => (done === 1 ? true : undefined));
});
