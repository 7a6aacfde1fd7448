import { CONTRACTS } from '@backfill/core/contracts/contracts';
import type { QueueContract } from '@backfill/core/contracts/define-queue';
import { createProducer } from '@backfill/core/queue/producer';
import type { Servers } from '@backfill/infra/servers';
import { Redis } from 'ioredis';
import type { World } from './world.ts';

interface SentJob {
  queue: string;
  job_id: string;
  kind: string;
  payload: unknown;
}

/** Jobs at once, of those under way and of those from before. */
const MOST_JOBS = 40;
const MOST_OLD_JOBS = 20;

/**
 * Sends what is under way a second time, under ids that the queues do not know, and what was under way at earlier calls
 * too: work that is long done, or of an attempt that was taken back.
 */
export function createJobDoubler(servers: Servers, world: World): () => Promise<void> {
  const known = new Map<string, SentJob>();
  let calls = 0;
  return async () => {
    calls += 1;
    const old = [...known.values()].slice(-MOST_OLD_JOBS);
    const jobs = await world.ask<SentJob>(
      `select queue, job_id, kind, payload from analytics.backfill_outbox
        where dispatched_at is not null order by dispatched_at desc limit ${MOST_JOBS}`,
    );
    for (const job of jobs) known.set(job.job_id, job);
    const redis = new Redis(servers.env.REDIS_URL ?? '', { maxRetriesPerRequest: null });
    // A server that is just down is tried again until it is back.
    redis.on('error', () => undefined);
    for (const contract of Object.values<QueueContract>(CONTRACTS)) {
      const twins = [...old, ...jobs].filter(({ queue }) => queue === contract.name);
      const producer = createProducer(contract, redis, world.env.BACKFILL_QUEUE_PREFIX ?? '');
      await producer.send(
        twins.map(({ kind, job_id, payload }) => ({ kind, payload, jobId: `${job_id}_twin_${calls}` })),
      );
      await producer.close();
    }
    redis.disconnect();
  };
}
