import { AsyncLocalStorage } from 'node:async_hooks';
import { z } from 'zod';

/** What a piece of work is about. */
export interface JobScope {
  queue: string;
  jobId: string;
  kind: string;
  /** 1 for the first run. */
  attempt: number;
  batch?: string | undefined;
  chunk?: number | undefined;
  part?: number | undefined;
}

const scope = new AsyncLocalStorage<JobScope>();

/** The ids of payloads: each kind of job has some of them. */
const Ids = z.object({ batch_id: z.string(), chunk_id: z.int(), part_id: z.int() }).partial();

/** Runs `work`, and whatever it starts: all its log lines say what it is about. */
export function withJobScope<T>(job: Omit<JobScope, 'batch' | 'chunk' | 'part'>, payload: unknown, work: () => T): T {
  const { batch_id: batch, chunk_id: chunk, part_id: part } = Ids.safeParse(payload).data ?? {};
  const { queue, jobId, kind, attempt } = job;
  return scope.run({ queue, jobId, kind, attempt, batch, chunk, part }, work);
}

/** Runs `work` as no job's: for what a connection says that some job happened to open. */
export function outsideJobs<T>(work: () => T): T {
  return scope.exit(work);
}

/** The job in whose run this is called; undefined outside of one. */
export function currentJobScope(): JobScope | undefined {
  return scope.getStore();
}
