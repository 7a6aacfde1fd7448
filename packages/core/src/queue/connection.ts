import { Redis } from 'ioredis';

/** A connection to the queue's Redis. */
export type QueueConnection = Redis;

/** A connection for a BullMQ worker: it blocks for jobs and must outlive every outage, so it never gives up. */
export function createWorkerConnection(redisUrl: string): QueueConnection {
  // Not lazyConnect: BullMQ awaits a lazy connection's first attempt, and a worker whose first attempt fails never consumes.
  return new Redis(redisUrl, { maxRetriesPerRequest: null });
}

/** A Redis that hangs must not hang the dispatcher. */
const COMMAND_TIMEOUT_MS = 10_000;

/** A connection for adding jobs: fails at once while Redis is away; the outbox keeps the work. */
export function createProducerConnection(redisUrl: string): QueueConnection {
  return new Redis(redisUrl, {
    maxRetriesPerRequest: 1,
    enableOfflineQueue: false,
    commandTimeout: COMMAND_TIMEOUT_MS,
  });
}

/** How long a person waits for a Redis that is not there, ms. */
const TOOL_TIMEOUT_MS = 5_000;

/** A connection for a command that a person runs: made by `connect()`, and a failure is told at once. */
export function createToolConnection(redisUrl: string): QueueConnection {
  const connection = new Redis(redisUrl, {
    lazyConnect: true,
    maxRetriesPerRequest: 1,
    retryStrategy: () => null,
    connectTimeout: TOOL_TIMEOUT_MS,
    commandTimeout: TOOL_TIMEOUT_MS,
  });
  // Told to the caller of the command that failed.
  connection.on('error', () => undefined);
  return connection;
}
