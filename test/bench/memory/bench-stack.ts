import { readEnvironment } from '@backfill/core/config/environment';
import { migrate } from '@backfill/core/db/migrate';
import { createRuntime, type Runtime } from '@backfill/core/runtime/runtime';
import type { ManagedProcess } from '@backfill/infra/managed-process';
import { type Servers, startTemporaryServers } from '@backfill/infra/servers';
import { createService, type ServiceName } from '@backfill/infra/services';
import { BENCH_CONFIG_DIR } from '../transform/bench-recipe.ts';

/** Servers of a bench's own, with a client for them; services are added as they are needed. */
export interface BenchStack {
  runtime: Runtime;
  servers: Pick<Servers, 'postgres' | 'redis' | 's3'>;
  /** Starts a service as `npm start` does, as a process of its own. */
  start(service: ServiceName): Promise<ManagedProcess>;
  /** Stops everything and deletes its data. */
  stop(): Promise<void>;
}

/**
 * Starts PostgreSQL, Redis and S3 in a temporary folder, with the benchmarks' configuration.
 *
 * @param separateCheckpoint the dedup store in a database of its own
 */
export async function startBenchStack(say: (line: string) => void, separateCheckpoint = false): Promise<BenchStack> {
  const servers = await startTemporaryServers({ report: say, separateCheckpoint });
  // The transformer does not wait for importers that a bench has not started.
  const apart = { BACKFILL_CONFIG_DIR: BENCH_CONFIG_DIR, TRANSFORMER_PARTS_AHEAD: '10000' };
  const env: Record<string, string> = { ...servers.env, ...apart };
  await migrate({ connectionString: env.DATABASE_URL ?? '' });
  const runtime = createRuntime(readEnvironment('api', { ...env, LOG_LEVEL: 'silent' }));
  const services: ManagedProcess[] = [];
  return {
    runtime,
    servers,
    async start(service) {
      const port = await servers.ports.take(service);
      const child = createService({ service, number: 1, port }, servers.dir, { ...process.env, ...env }, say);
      services.push(child);
      await child.start();
      return child;
    },
    async stop() {
      await Promise.all(services.map((service) => service.stop()));
      await runtime.close();
      await servers.stop();
    },
  };
}
