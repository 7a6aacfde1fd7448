import { DelayedError, type Job, UnrecoverableError, WaitingError, Worker } from 'bullmq';
import type { JobDefinition, PayloadOf, QueueContract } from '../contracts/define-queue.ts';
import { type Decision, DeferError, decide, describeReason, StaleWorkError } from '../errors.ts';
import type { QueueConnection } from './connection.ts';

export interface JobContext {
  readonly jobId: string;
  readonly kind: string;
  /** 1 for the first run. */
  readonly attempt: number;
  /** Aborted when the service stops: finish the piece at hand and throw. */
  readonly signal: AbortSignal;
  /** The entry of the outbox that the run works off, once that is known; runs of maintenance have none. */
  outboxId?: number | undefined;
  /** The request that the work goes back to, once that is known. */
  requestId?: string | undefined;
}

/** One handler per kind of job: a missing one does not compile. */
export type Handlers<J extends Record<string, JobDefinition>> = {
  [K in keyof J]: (payload: PayloadOf<J[K]>, context: JobContext) => Promise<void>;
};

export interface ConsumerOptions {
  connection: QueueConnection;
  prefix: string;
  concurrency: number;
  /**
   * How long a job is its worker's without a sign of life, ms. A killed worker's job restarts after up to 4/3 of it:
   * after 10 to 17 s with 15 s; BullMQ's defaults make that 35 to 90 s.
   */
  lockMs: number;
  /** After a handler has returned. */
  onDone(context: JobContext): Promise<void>;
  /** After a handler has thrown, before the decision is carried out. */
  onError(error: unknown, decision: Decision, payload: unknown, context: JobContext): Promise<void>;
  /** Errors of the connection, of lock renewals, and of `onError`. */
  onWorkerError(error: Error): void;
}

export interface Consumer {
  start(): void;
  /** True while the worker takes jobs from a live connection. */
  isConsuming(): boolean;
  /** Hands unfinished jobs back, then closes. */
  stop(): Promise<void>;
}

/** How often lost jobs are looked for while a lock lasts. */
const LOOKS_PER_LOCK = 3;
// The default of 1 would fail a job after two kills.
const MAX_STALLED_COUNT = 10;

const UNKNOWN_JOB_DELAY_MS = 30_000;

/** BullMQ keeps message and stack in Redis: the message is ours by now, and the stack would repeat the original one. */
function withoutDetails(error: Error): Error {
  error.stack = error.message;
  return error;
}

/** The receiving side of a queue; the one place that turns our decisions into BullMQ's. */
export function createConsumer<J extends Record<string, JobDefinition>>(
  contract: QueueContract<J>,
  handlers: Handlers<J>,
  options: ConsumerOptions,
): Consumer {
  const stopping = new AbortController();

  async function carryOut(decision: Decision, error: unknown, job: Job, token: string | undefined): Promise<void> {
    switch (decision.action) {
      case 'drop':
        return;
      case 'defer':
        await job.moveToDelayed(Date.now() + decision.delayMs, token);
        throw new DelayedError();
      case 'retry':
        throw withoutDetails(new Error(describeReason(error)));
      case 'fail':
      case 'halt':
        throw withoutDetails(new UnrecoverableError(describeReason(error)));
    }
  }

  // Three parameters: BullMQ only passes its abort signal to processors that take it.
  async function process(job: Job, token: string | undefined, signal?: AbortSignal): Promise<void> {
    const context: JobContext = {
      jobId: job.id ?? '',
      kind: job.name,
      attempt: job.attemptsMade + 1,
      signal: signal === undefined ? stopping.signal : AbortSignal.any([stopping.signal, signal]),
    };
    const definition = contract.jobs[job.name] as JobDefinition<unknown> | undefined;
    const handler = handlers[job.name] as ((payload: unknown, context: JobContext) => Promise<void>) | undefined;
    try {
      const payload = definition?.payload.safeParse(job.data);
      if (handler === undefined || payload?.success !== true) {
        // During an upgrade this is another version's job, and another process knows it.
        throw new DeferError(`${context.jobId} is not a job that this version knows`, UNKNOWN_JOB_DELAY_MS);
      }
      await handler(payload.data, context);
      await options.onDone(context);
    } catch (error) {
      if (stopping.signal.aborted && !(error instanceof StaleWorkError) && token !== undefined) {
        await job.moveToWait(token);
        throw new WaitingError();
      }
      const deferrals = Math.max(0, job.attemptsStarted - context.attempt);
      const decision = decide(error, { attempt: context.attempt, deferrals }, definition?.attempts ?? 1);
      try {
        await options.onError(error, decision, job.data, context);
      } catch (failure) {
        // The log has it all; Redis may have as little of it as of the error itself.
        options.onWorkerError(failure instanceof Error ? failure : new Error(describeReason(failure)));
        throw withoutDetails(new Error(describeReason(failure)));
      }
      await carryOut(decision, error, job, token);
    }
  }

  const worker = new Worker(contract.name, process, {
    connection: options.connection,
    prefix: options.prefix,
    concurrency: options.concurrency,
    autorun: false,
    lockDuration: options.lockMs,
    stalledInterval: Math.round(options.lockMs / LOOKS_PER_LOCK),
    maxStalledCount: MAX_STALLED_COUNT,
    // No maxStartedAttempts: it counts deferrals too, and would fail a job that waits for an overloaded database.
  });
  worker.on('error', options.onWorkerError);

  return {
    start() {
      worker.run().catch(options.onWorkerError);
    },
    isConsuming: () => worker.isRunning() && !worker.isPaused() && options.connection.status === 'ready',
    async stop() {
      stopping.abort();
      await worker.close();
    },
  };
}
