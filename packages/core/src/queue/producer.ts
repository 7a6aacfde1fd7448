import { type JobsOptions, Queue } from 'bullmq';
import type { QueueContract } from '../contracts/define-queue.ts';
import type { QueueConnection } from './connection.ts';

export interface JobToSend {
  kind: string;
  jobId: string;
  payload: unknown;
}

/** A job that is not tried again. */
export interface FailedJob {
  jobId: string;
  /** As it was sent. */
  payload: unknown;
}

export interface Producer {
  /** Adds the jobs; those whose id exists already are left as they are. At most 1,000 at a time. */
  send(jobs: readonly JobToSend[]): Promise<void>;
  /**
   * The ids among these that no worker will pick up in time any more: unknown to Redis, failed, finished, or put off for
   * longer than was asked for, because the clock was set back.
   */
  findGone(jobIds: readonly string[]): Promise<string[]>;
  /** Jobs that could be worked on now, were a worker free. */
  countWaiting(): Promise<number>;
  /** Jobs by their state, as BullMQ has them. */
  countByState(): Promise<Readonly<Record<string, number>>>;
  /** Jobs that have failed for good since, newest first, at most so many. BullMQ keeps the last 1,000. */
  listFailed(since: Date, most: number): Promise<FailedJob[]>;
  /** Workers that are connected to take jobs of the queue. */
  countWorkers(): Promise<number>;
  /** Removes what is left of these jobs, so that their ids can be sent again. */
  remove(jobIds: readonly string[]): Promise<void>;
  /** Has the job come round every `everyMs`; one scheduler per kind, however often this is called. */
  schedule(kind: string, payload: unknown, everyMs: number): Promise<void>;
  close(): Promise<void>;
}

const ALIVE: ReadonlySet<string> = new Set(['waiting', 'active', 'prioritized', 'waiting-children', 'paused']);

function jobOptions(contract: QueueContract, kind: string): JobsOptions {
  const job = contract.jobs[kind];
  if (job === undefined) throw new Error(`queue ${contract.name} has no jobs of kind ${kind}`);
  return {
    attempts: job.attempts,
    backoff: { type: 'exponential', delay: job.backoffMs },
    removeOnComplete: true,
    removeOnFail: { count: 1_000 },
  };
}

/** The clocks of several machines differ by less, ms. */
const CLOCKS_APART_MS = 60_000;
/** BullMQ keeps delayed jobs by their time in ms times this, which leaves room for their order. */
const DELAYED_SCORE_UNIT = 0x1000;

/** The sending side of a queue. */
export function createProducer(contract: QueueContract, connection: QueueConnection, prefix: string): Producer {
  const queue = new Queue(contract.name, { connection, prefix });
  queue.on('error', () => undefined); // Told to the caller of the command that failed.

  /** True for a job that was put off, by a clock that was ahead of the one of now. */
  async function isPutOffTooLong(jobId: string): Promise<boolean> {
    const job = await queue.getJob(jobId);
    const score = await connection.zscore(queue.toKey('delayed'), jobId);
    if (job === undefined || score === null) return false;
    return Number(score) / DELAYED_SCORE_UNIT - Date.now() > job.delay + CLOCKS_APART_MS;
  }

  async function isGone(jobId: string): Promise<boolean> {
    const state = await queue.getJobState(jobId);
    return state === 'delayed' ? isPutOffTooLong(jobId) : !ALIVE.has(state);
  }

  return {
    async send(jobs) {
      await queue.addBulk(
        jobs.map(({ kind, jobId, payload }) => ({
          name: kind,
          data: contract.jobs[kind]?.payload.parse(payload),
          opts: { ...jobOptions(contract, kind), jobId },
        })),
      );
    },
    async findGone(jobIds) {
      const gone = await Promise.all(jobIds.map(isGone));
      return jobIds.filter((_id, index) => gone[index]);
    },
    countWaiting: () => queue.getWaitingCount(),
    countByState: () => queue.getJobCounts(),
    async listFailed(since, most) {
      // The page is newest first; a job that was removed meanwhile has no data.
      const jobs = await queue.getFailed(0, most - 1);
      return jobs
        .filter((job) => job?.finishedOn !== undefined && job.finishedOn >= since.getTime())
        .map((job) => ({ jobId: job.id ?? '', payload: job.data as unknown }));
    },
    countWorkers: () => queue.getWorkersCount(),
    async remove(jobIds) {
      await Promise.all(jobIds.map((id) => queue.remove(id)));
    },
    async schedule(kind, payload, everyMs) {
      await queue.upsertJobScheduler(
        kind,
        { every: everyMs },
        { name: kind, data: contract.jobs[kind]?.payload.parse(payload), opts: jobOptions(contract, kind) },
      );
    },
    async close() {
      await queue.close();
    },
  };
}
