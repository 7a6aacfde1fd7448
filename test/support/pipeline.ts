import { readEnvironment, type ServiceName } from '@backfill/core/config/environment';
import { type BatchRow, getBatch } from '@backfill/core/db/queries/batch-get';
import { withTransaction } from '@backfill/core/db/transaction';
import { changeStatus } from '@backfill/core/dispatch/change-status';
import { type BatchStatus, RESTING_STATUSES } from '@backfill/core/domain/batch-status';
import type { Service } from '@backfill/core/run-service';
import { createKeyedRuntime } from '@backfill/core/runtime/keyed-runtime';
import { createRuntime, type Runtime } from '@backfill/core/runtime/runtime';
import { createImporterService } from '@backfill/importer/service';
import { createRollbackService } from '@backfill/rollback/service';
import { createTransformerService } from '@backfill/transformer/service';
import { createVerifierService } from '@backfill/verifier/service';
import { createConfigDir, withoutApprovals } from './config-dir.ts';
import { createTestEnvironment, type KeyLayout, type TestEnvironment } from './environment.ts';
import { insertBatch, type SubmittedBatch } from './insert-batch.ts';
import { waitFor } from './wait-for.ts';

/** The workers of a whole pipeline in this process, on real servers, without the API and without approvals. */
export interface Pipeline extends TestEnvironment {
  config: Awaited<ReturnType<typeof createConfigDir>>;
  /** Storage and database as a service has them. */
  runtime: Runtime;
  /** Where each worker serves its metrics. */
  workers: readonly { service: ServiceName; url: string }[];
  upload(batchId: string, files: Record<string, Buffer | string>): Promise<void>;
  submit(batch: SubmittedBatch): Promise<void>;
  change(batchId: string, from: BatchStatus, to: BatchStatus): Promise<void>;
  /** Waits until the batch rests (or has one of the statuses), and returns it. */
  rest(batchId: string, statuses?: readonly BatchStatus[]): Promise<BatchRow>;
}

export interface PipelineOptions {
  transformers?: number;
  importers?: number;
  layout?: KeyLayout;
  env?: Record<string, string>;
}

interface Worker {
  service: ServiceName;
  it: Service & { url(): string };
}

function createServices(env: Record<string, string>, { transformers = 1, importers = 1 }: PipelineOptions): Worker[] {
  const runtime = (service: ServiceName) => createRuntime(readEnvironment(service, env));
  const keyed = (service: ServiceName) => createKeyedRuntime(readEnvironment(service, env));
  const times = (count: number, create: () => Worker) => Array.from({ length: count }, create);
  return [
    ...times(transformers, () => ({
      service: 'transformer',
      it: createTransformerService(keyed('transformer')),
    })),
    ...times(importers, () => ({ service: 'importer', it: createImporterService(runtime('importer')) })),
    { service: 'verifier', it: createVerifierService(keyed('verifier')) },
    { service: 'rollback', it: createRollbackService(runtime('rollback')) },
  ];
}

/** Starts a pipeline of its own for one test file. */
export async function startPipeline(options: PipelineOptions = {}): Promise<Pipeline> {
  const environment = await createTestEnvironment(options.layout);
  const config = await createConfigDir(withoutApprovals);
  const env = { ...environment.env, BACKFILL_CONFIG_DIR: config.dir, ...options.env };
  const services = createServices(env, options);
  const runtime = createRuntime(readEnvironment('api', env));
  await Promise.all(services.map(({ it }) => it.start()));
  return {
    ...environment,
    env,
    config,
    runtime,
    workers: services.map(({ service, it }) => ({ service, url: it.url() })),
    async upload(batchId, files) {
      for (const [name, body] of Object.entries(files)) {
        await runtime.store.put(
          runtime.config.storage.rawBucket,
          `${batchId}/${name}`,
          Buffer.from(body),
          'text/plain',
        );
      }
    },
    submit: (batch) => insertBatch(runtime, batch),
    async change(batchId, from, to) {
      const changed = await withTransaction(runtime.pool, 'test', (client) =>
        changeStatus(client, { batchId, from: [from], to }),
      );
      if (!changed) throw new Error(`${batchId} is not ${from}`);
    },
    rest: (batchId, statuses = RESTING_STATUSES) =>
      waitFor(`${batchId} to be ${statuses.join(' or ')}`, async () => {
        const batch = await getBatch(runtime.pool, batchId);
        return batch !== undefined && statuses.includes(batch.status) ? batch : undefined;
      }),
    async dispose() {
      await Promise.all(services.map(({ it }) => it.stop()));
      await runtime.close();
      await config.remove();
      await environment.dispose();
    },
  };
}
