import type { ServiceConfig } from '@backfill/core/config/environment';
import { type BackfillConfig, loadConfigDir } from '@backfill/core/config/load-config';
import { CONTRACTS } from '@backfill/core/contracts/contracts';
import { createPool, type Pool } from '@backfill/core/db/pool';
import { createDispatcher, type Dispatcher, type Producers } from '@backfill/core/dispatch/dispatcher';
import { createReconciler } from '@backfill/core/dispatch/reconcile';
import { describeError } from '@backfill/core/errors';
import { createLogger, type Logger } from '@backfill/core/observability/logger';
import { createMetrics, type Metrics } from '@backfill/core/observability/metrics';
import { createProducerConnection } from '@backfill/core/queue/connection';
import { createProducer } from '@backfill/core/queue/producer';
import { createObjectStore, type ObjectStore } from '@backfill/core/storage/object-store';

/** Connections of one API process to PostgreSQL: its share of the budget. */
const POOL_SIZE = 10;

/** Everything that the API works with. */
export interface ApiContext {
  readonly config: ServiceConfig;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly pool: Pool;
  readonly store: ObjectStore;
  readonly dispatcher: Dispatcher;
  /** Reads the configuration directory as it is now. @throws {ConfigError} */
  loadConfig(): Promise<BackfillConfig>;
  /** Throws unless Redis answers. */
  pingRedis(): Promise<void>;
  /** Closes every connection. */
  close(): Promise<void>;
}

export type ApiOverrides = Partial<Pick<ApiContext, 'logger' | 'metrics' | 'store' | 'loadConfig'>>;

/** Builds what the API needs from its configuration. Connections are made on first use, Redis's in the background. */
export function createApiContext(config: ServiceConfig, overrides: ApiOverrides = {}): ApiContext {
  const logger = overrides.logger ?? createLogger(config.service, config.logLevel);
  const store = overrides.store ?? createObjectStore(config.storage);
  const pool = createPool({
    connectionString: config.databaseUrl,
    applicationName: 'backfill-api',
    max: POOL_SIZE,
    onIdleError: (error) => logger.warn({ error: describeError(error) }, 'idle connection lost'),
  });
  const redis = createProducerConnection(config.redisUrl);
  redis.on('error', (error) => logger.debug({ error: describeError(error) }, 'redis connection'));
  const producers: Producers = Object.fromEntries(
    Object.values(CONTRACTS).map((contract) => [
      contract.name,
      createProducer(contract, redis, config.queuePrefix),
    ]),
  );
  const reconcile = createReconciler({ pool, producers, logger });
  return {
    config,
    logger,
    metrics: overrides.metrics ?? createMetrics(),
    pool,
    store,
    dispatcher: createDispatcher({ databaseUrl: config.databaseUrl, producers, logger, reconcile }),
    loadConfig: overrides.loadConfig ?? (() => loadConfigDir(config.configDir)),
    async pingRedis() {
      await redis.ping();
    },
    async close() {
      await Promise.allSettled(Object.values(producers).map((producer) => producer.close()));
      redis.disconnect();
      store.close();
      await pool.end();
    },
  };
}
