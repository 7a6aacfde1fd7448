import { poolSize } from '../config/connection-budget.ts';
import type { ServiceConfig } from '../config/environment.ts';
import { CONTRACTS } from '../contracts/contracts.ts';
import type { QueueName } from '../contracts/define-queue.ts';
import type { KeyStore } from '../db/key-store.ts';
import { createPool, type Pool } from '../db/pool.ts';
import { type AuditSealer, createAuditSealer } from '../dispatch/audit-sealer.ts';
import { createDispatcher, type Dispatcher } from '../dispatch/dispatcher.ts';
import { createKeyResolver } from '../dispatch/key-resolver.ts';
import { createLateSweeper } from '../dispatch/late-sweeper.ts';
import { createReconciler } from '../dispatch/reconcile.ts';
import { describeError } from '../errors.ts';
import type { ReadinessCheck } from '../observability/health-server.ts';
import { outsideJobs } from '../observability/job-scope.ts';
import { createLogger, type Logger } from '../observability/logger.ts';
import { createMetrics, type Metrics } from '../observability/metrics.ts';
import { createProducerConnection, type QueueConnection } from '../queue/connection.ts';
import { createProducer, type Producer } from '../queue/producer.ts';
import { createObjectStore, type ObjectStore } from '../storage/object-store.ts';

/** What every service is built from. */
export interface Runtime {
  readonly config: ServiceConfig;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly pool: Pool;
  readonly keyStore: KeyStore;
  readonly store: ObjectStore;
  readonly dispatcher: Dispatcher;
  readonly sealer: AuditSealer;
  /** The sending side of every queue. Work goes through the outbox; this is to look at a queue. */
  readonly producers: Readonly<Record<QueueName, Producer>>;
  /** PostgreSQL (both databases, where there are two), Redis and both buckets, each with what is wrong with it. */
  readonly checkDependencies: ReadinessCheck;
  /** Closes everything, the dispatcher first. */
  close(): Promise<void>;
}

const CHECK_TIMEOUT_MS = 2_000;

const CLOSE_TIMEOUT_MS = 3_000;

/** What the work gives, or `undefined` when it takes longer. */
async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  const first = await Promise.race([work, late]);
  clearTimeout(timer);
  return first;
}

async function problemOf(check: Promise<unknown>): Promise<string | undefined> {
  const answered = check.then(
    () => ({ problem: undefined }),
    (error: unknown) => ({ problem: describeError(error) }),
  );
  const answer = await within(CHECK_TIMEOUT_MS, answered);
  return answer === undefined ? `no answer within ${CHECK_TIMEOUT_MS} ms` : answer.problem;
}

function createChecks(
  { pool, keyStore, store, config }: Pick<Runtime, 'pool' | 'keyStore' | 'store' | 'config'>,
  redis: QueueConnection,
): ReadinessCheck {
  return async () => {
    const [postgres, dedup, queue, raw, archive] = await Promise.all([
      problemOf(pool.query('select 1')),
      keyStore.isSeparate ? problemOf(keyStore.pool.query('select 1')) : undefined,
      problemOf(redis.ping()),
      problemOf(store.checkBucket(config.storage.rawBucket)),
      problemOf(store.checkBucket(config.storage.archiveBucket)),
    ]);
    return { postgres, postgres_checkpoint: dedup, redis: queue, s3_raw: raw, s3_archive: archive };
  };
}

/** In the dedup store's own database: one transaction per job, one beside it, and the checks'. */
function createKeyStore(config: ServiceConfig, pool: Pool, onIdleError: (error: Error) => void): KeyStore {
  if (config.checkpointDatabaseUrl === undefined) return { pool, isSeparate: false };
  const keyPool = createPool({
    connectionString: config.checkpointDatabaseUrl,
    applicationName: `backfill-${config.service}-keys`,
    max: config.concurrency + 2,
    idleTransactionSeconds: 60,
    onIdleError,
  });
  return { pool: keyPool, isSeparate: true };
}

/** Builds a service's dependencies. Connections are opened on first use (the producers' at once). */
export function createRuntime(config: ServiceConfig): Runtime {
  const logger = createLogger(config.service, config.logLevel);
  const onIdleError = (error: Error) =>
    outsideJobs(() => logger.warn({ error: describeError(error) }, 'database connection lost'));
  const pool = createPool({
    connectionString: config.databaseUrl,
    applicationName: `backfill-${config.service}`,
    max: poolSize(config),
    onIdleError,
  });
  const keyStore = createKeyStore(config, pool, onIdleError);
  const metrics = createMetrics();
  const store = createObjectStore(config.storage, () => metrics.residencyRefusals.inc());
  const redis = createProducerConnection(config.redisUrl);
  redis.on('error', (error) => logger.warn({ error: describeError(error) }, 'queue connection lost'));
  const producers = Object.fromEntries(
    Object.entries(CONTRACTS).map(([name, contract]) => [name, createProducer(contract, redis, config.queuePrefix)]),
  ) as Record<QueueName, Producer>;
  const resolver = createKeyResolver({ pool, keyStore, logger });
  const sweeper = createLateSweeper({ pool, logger });
  const { archiveBucket } = config.storage;
  const sealer = createAuditSealer({
    ...{ pool, store, archiveBucket, key: config.auditKey, logger },
    onLost: () => metrics.auditLosses.inc(),
  });
  const dispatcher = createDispatcher({
    databaseUrl: config.databaseUrl,
    producers,
    logger,
    reconcile: createReconciler({ pool, producers, logger, resolver, sweeper }),
    sealer,
  });
  return {
    config,
    logger,
    metrics,
    pool,
    keyStore,
    store,
    dispatcher,
    sealer,
    producers,
    checkDependencies: createChecks({ pool, keyStore, store, config }, redis),
    async close() {
      // BullMQ waits for a Redis that is away, also to close; the outbox keeps whatever was not sent.
      await within(CLOSE_TIMEOUT_MS, dispatcher.stop());
      await within(CLOSE_TIMEOUT_MS, Promise.all(Object.values(producers).map((producer) => producer.close())));
      redis.disconnect();
      await within(CLOSE_TIMEOUT_MS, Promise.all([resolver.rest(), sweeper.rest(), sealer.rest()]));
      await pool.end();
      if (keyStore.isSeparate) await keyStore.pool.end();
      store.close();
    },
  };
}
