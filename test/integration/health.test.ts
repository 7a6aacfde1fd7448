import { createApiContext } from '@backfill/api/context';
import { createApiService } from '@backfill/api/service';
import { readEnvironment } from '@backfill/core/config/environment';
import { rollback } from '@backfill/core/contracts/rollback';
import { createKeyedRuntime } from '@backfill/core/runtime/keyed-runtime';
import { createRuntime } from '@backfill/core/runtime/runtime';
import { createRuntimeConsumer, createWorkerService } from '@backfill/core/runtime/worker-service';
import { createImporterService } from '@backfill/importer/service';
import { createRollbackService } from '@backfill/rollback/service';
import { createTransformerService } from '@backfill/transformer/service';
import { createVerifierService } from '@backfill/verifier/service';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createConfigDir } from '../support/config-dir.ts';
import { createTestEnvironment, type TestEnvironment } from '../support/environment.ts';
import { createGate, type Gate } from '../support/gate.ts';
import { waitFor } from '../support/wait-for.ts';

interface Started {
  start(): Promise<void>;
  stop(): Promise<void>;
  url(): string;
}

const SERVERS = {
  DATABASE_URL: ['postgres'],
  CHECKPOINT_DATABASE_URL: ['postgres_checkpoint'],
  REDIS_URL: ['redis'],
  S3_ENDPOINT: ['s3_archive', 's3_raw'],
} as const;
type Variable = keyof typeof SERVERS;
const WORKERS = ['transformer', 'importer', 'verifier', 'rollback'] as const;
const NAMES = ['api', ...WORKERS] as const;
type Name = (typeof NAMES)[number];

let environment: TestEnvironment;
let config: Awaited<ReturnType<typeof createConfigDir>>;
let gates: Record<Variable, Gate>;
let env: Record<string, string>;
let services: Record<Name, Started>;

// All services on the real servers, each server behind a gate.
beforeAll(async () => {
  environment = await createTestEnvironment('in a database of its own');
  config = await createConfigDir();
  gates = Object.fromEntries(
    await Promise.all(
      Object.keys(SERVERS).map(async (name) => [name, await createGate(environment.env[name] ?? '')] as const),
    ),
  ) as typeof gates;
  const behind = Object.entries(gates).map(([name, { url }]) => [name, url]);
  env = { ...environment.env, ...Object.fromEntries(behind), BACKFILL_CONFIG_DIR: config.dir };
  services = {
    api: createApiService(createApiContext(readEnvironment('api', env))),
    transformer: createTransformerService(createKeyedRuntime(readEnvironment('transformer', env))),
    importer: createImporterService(createRuntime(readEnvironment('importer', env))),
    verifier: createVerifierService(createKeyedRuntime(readEnvironment('verifier', env))),
    rollback: createRollbackService(createRuntime(readEnvironment('rollback', env))),
  };
  for (const service of Object.values(services)) await service.start();
});

afterAll(async () => {
  for (const service of Object.values(services ?? {})) await service.stop();
  for (const gate of Object.values(gates ?? {})) await gate.shut();
  await config?.remove();
  await environment?.dispose();
});

async function ask(name: Name, path: string): Promise<{ status: number; body: { down?: Record<string, string> } }> {
  const answer = await fetch(services[name].url() + path);
  return { status: answer.status, body: (await answer.json()) as { down?: Record<string, string> } };
}

/** Waits until the service says that just these are down. */
const reportsDown = (name: Name, down: readonly string[]) =>
  waitFor(`${name} to say that ${down.join(', ') || 'nothing'} is down`, async () => {
    const { status, body } = await ask(name, '/readyz');
    const told = Object.keys(body.down ?? {}).sort();
    return status === (down.length === 0 ? 200 : 503) && told.join() === [...down].sort().join() ? true : undefined;
  });

const isLive = (name: Name, live: boolean) =>
  waitFor(`${name} to be ${live ? 'live' : 'not live'}`, async () =>
    (await ask(name, '/healthz')).status === (live ? 200 : 503) ? true : undefined,
  );

it.each(Object.keys(SERVERS) as Variable[])(
  'tells that the server of %s is away, and that it is back',
  async (variable) => {
    for (const name of NAMES) await reportsDown(name, []);
    await gates[variable].shut();
    const consumes = variable !== 'REDIS_URL';
    for (const name of NAMES) {
      await reportsDown(name, [...SERVERS[variable], ...(consumes || name === 'api' ? [] : ['consumer'])]);
      await isLive(name, consumes || name === 'api');
    }
    // Anyone may ask the API.
    const { body } = await ask('api', '/readyz');
    expect(Object.values(body.down ?? {})).toEqual(SERVERS[variable].map(() => 'does not answer'));
    await gates[variable].open();
    for (const name of NAMES) {
      await reportsDown(name, []);
      await isLive(name, true);
    }
  },
);

it('is not live when the loop of one of its consumers has ended', async () => {
  const runtime = createRuntime(readEnvironment('rollback', { ...env, BACKFILL_QUEUE_PREFIX: 'ended-loop' }));
  const idle = () => Promise.resolve();
  const consumers = [1, 2].map(() =>
    createRuntimeConsumer(runtime, rollback, { tombstone: idle, window: idle, snapshot: idle }),
  );
  const worker = createWorkerService(runtime, consumers);
  await worker.start();
  const live = async () => (await fetch(`${worker.url()}/healthz`)).status;
  await waitFor('the worker to be live', async () => ((await live()) === 200 ? true : undefined));
  await consumers[1]?.consumer.stop();
  expect(await live()).toBe(503);
  await worker.stop();
});
