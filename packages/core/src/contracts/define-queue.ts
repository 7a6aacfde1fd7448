import type { z } from 'zod';
import type { BatchStatus } from '../domain/batch-status.ts';

export type QueueName = 'raw-chunks' | 'transformed-events' | 'verification' | 'rollback' | 'maintenance';
export type Producer = 'api' | 'transformer' | 'importer' | 'verifier' | 'rollback' | 'dispatcher';

/** One kind of job of a queue. Payloads hold ids, never event data, and carry their version. */
export interface JobDefinition<P = unknown> {
  readonly payload: z.ZodType<P>;
  /** Deterministic, without colons and never digits only (BullMQ refuses those). */
  jobId(payload: P): string;
  /** Runs before an unknown error stops the batch for a person. */
  readonly attempts: number;
  readonly backoffMs: number;
  /** Statuses of the batch in which the job may be sent. Empty for jobs of no batch. */
  readonly whenStatus: readonly BatchStatus[];
}

/** A queue, declared completely: what producer and consumer both take, so that neither writes a name or an option. */
export interface QueueContract<J extends Record<string, JobDefinition> = Record<string, JobDefinition>> {
  readonly name: QueueName;
  readonly producers: readonly Producer[];
  readonly consumer: Producer;
  readonly jobs: J;
}

export type PayloadOf<D> = D extends JobDefinition<infer P> ? P : never;

/** Declares one kind of job; only here for the types it infers. */
export function defineJob<P>(job: JobDefinition<P>): JobDefinition<P> {
  return job;
}

/** Declares a queue; only here for the types it infers. */
export function defineQueue<J extends Record<string, JobDefinition>>(contract: QueueContract<J>): QueueContract<J> {
  return contract;
}
