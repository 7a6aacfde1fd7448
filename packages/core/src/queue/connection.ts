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
