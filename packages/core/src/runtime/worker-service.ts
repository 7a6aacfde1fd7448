import { z } from 'zod';
import type { JobDefinition, QueueContract } from '../contracts/define-queue.ts';
import type { Pool } from '../db/pool.ts';
import { setRollbackProblem } from '../db/queries/batch-set-status.ts';
import { insertIncident, insertIncidentOnce } from '../db/queries/incident-insert.ts';
import { deleteOutboxEntry } from '../db/queries/outbox-delete.ts';
import { withTransaction } from '../db/transaction.ts';
import { changeStatus } from '../dispatch/change-status.ts';
import { WORKING_STATUSES } from '../domain/batch-status.ts';
import { CrashLoopError, type Decision, DeferError, describeError, describeReason } from '../errors.ts';
import { startHealthServer } from '../observability/health-server.ts';
import { withJobScope } from '../observability/job-scope.ts';
import type { Logger } from '../observability/logger.ts';
import { createWorkerConnection } from '../queue/connection.ts';
import { type Consumer, createConsumer, type Handlers, type JobContext } from '../queue/consumer.ts';
import { withRequestId } from '../request-scope.ts';
import type { Service } from '../run-service.ts';
import { requireResidency } from './check-residency.ts';
import { prepareDatabases } from './prepare-databases.ts';
import type { Runtime } from './runtime.ts';
import { watchRun } from './watch-runs.ts';

/** How a run of a job can end; each has a series from the start. */
const JOB_OUTCOMES: readonly ('done' | Decision['action'])[] = ['done', 'drop', 'defer', 'retry', 'fail', 'halt'];

/** The part of a payload that says whom the job works for, and under which epoch. */
const BatchWork = z.object({ batch_id: z.string(), epoch: z.int() });

/**
 * Stops the batch of a job that cannot go on: failed for a fault in its data, halted for a person otherwise. Only under
 * the epoch the job was made for; a rollback is not stopped but says why it does not come to its end.
 *
 * @param incident its kind, when the stop is one
 */
async function stopBatch(
  pool: Pool,
  actor: string,
  payload: unknown,
  to: 'failed' | 'halted',
  { reason, incident }: { reason: string; incident: string | undefined },
): Promise<void> {
  const work = BatchWork.safeParse(payload);
  if (!work.success) return;
  const { batch_id: batchId, epoch } = work.data;
  await withTransaction(pool, actor, async (client) => {
    const stopped = await changeStatus(client, { batchId, from: WORKING_STATUSES, to, reason, epoch });
    if (!stopped && (await setRollbackProblem(client, batchId, epoch, reason))) {
      await insertIncident(client, batchId, 'rollback_stuck', reason);
    }
    // Also of a batch at rest, whose report cannot be written.
    if (incident !== undefined) await insertIncidentOnce(client, batchId, incident, reason);
  });
}

function logOutcome(logger: Logger, decision: Decision, error: unknown): void {
  const fields = { error: describeError(error) };
  if (decision.action === 'drop') logger.info(fields, 'job dropped: its batch has moved on');
  else if (error instanceof DeferError) logger.info(fields, 'job put off');
  else if (decision.action === 'retry' || decision.action === 'defer') logger.warn(fields, `job: ${decision.action}`);
  else logger.error(fields, `job stopped its batch: ${decision.action}`);
}

/** The consuming side of one queue, with what this system adds to it: the outbox, the batch's status, log and metric. */
export function createRuntimeConsumer<J extends Record<string, JobDefinition>>(
  runtime: Runtime,
  contract: QueueContract<J>,
  handlers: Handlers<J>,
): { consumer: Consumer; close(): void } {
  const { config, logger, pool, metrics } = runtime;
  const connection = createWorkerConnection(config.redisUrl);
  connection.on('error', (error) => logger.warn({ error: describeError(error) }, 'queue connection lost'));
  const timed = Object.fromEntries(
    Object.entries(handlers).map(([kind, handler]) => [
      kind,
      (payload: never, context: JobContext) =>
        withJobScope({ queue: contract.name, ...context }, payload, () =>
          watchRun(runtime, context, async () => {
            const stop = metrics.chunkDuration.startTimer({ stage: kind });
            await handler(payload, context);
            stop();
          }),
        ),
    ]),
  ) as Handlers<J>;
  const strikeOff = async ({ outboxId }: JobContext) => {
    if (outboxId !== undefined) await deleteOutboxEntry(pool, outboxId);
  };
  async function conclude(error: unknown, decision: Decision, payload: unknown, context: JobContext): Promise<void> {
    metrics.jobs.inc({ stage: context.kind, outcome: decision.action });
    logOutcome(logger, decision, error);
    if (decision.action === 'drop') await strikeOff(context);
    if (decision.action === 'fail' || decision.action === 'halt') {
      await stopBatch(pool, config.service, payload, decision.action === 'fail' ? 'failed' : 'halted', {
        reason: `${context.kind}: ${describeReason(error)}`,
        incident: error instanceof CrashLoopError ? 'crash_loop' : undefined,
      });
    }
  }
  for (const stage of Object.keys(handlers)) {
    for (const outcome of JOB_OUTCOMES) metrics.jobs.inc({ stage, outcome }, 0);
  }
  const consumer = createConsumer(contract, timed, {
    connection,
    prefix: config.queuePrefix,
    concurrency: config.concurrency,
    lockMs: config.jobLockMs,
    async onDone(context) {
      await strikeOff(context);
      metrics.jobs.inc({ stage: context.kind, outcome: 'done' });
    },
    onError: (error, decision, payload, context) =>
      withRequestId(context.requestId, () =>
        withJobScope({ queue: contract.name, ...context }, payload, () => conclude(error, decision, payload, context)),
      ),
    onWorkerError: (error) => logger.warn({ error: describeError(error) }, 'worker error'),
  });
  metrics.watchConsuming(contract.name, () => consumer.isConsuming());
  return { consumer, close: () => connection.disconnect() };
}

/**
 * A worker process: checks where data may be, migrates, serves health and metrics, consumes its queues, and takes its
 * turn as dispatcher. Stops in reverse order.
 */
export function createWorkerService(
  runtime: Runtime,
  consumers: readonly { consumer: Consumer; close(): void }[],
): Service & { url(): string } {
  let health: { url: string; close(): Promise<void> } | undefined;
  return {
    url: () => health?.url ?? '',
    async start() {
      await requireResidency(runtime);
      await prepareDatabases(runtime);
      const isConsuming = () => consumers.every(({ consumer }) => consumer.isConsuming());
      health = await startHealthServer({
        ...runtime.config.http,
        registry: runtime.metrics.registry,
        isLive: isConsuming,
        check: async () => ({
          ...(await runtime.checkDependencies()),
          consumer: isConsuming() ? undefined : 'not consuming',
        }),
      });
      runtime.logger.info({ url: health.url }, 'listening');
      for (const { consumer } of consumers) consumer.start();
      runtime.dispatcher.start();
    },
    async stop() {
      await Promise.all(consumers.map(({ consumer }) => consumer.stop()));
      for (const { close } of consumers) close();
      await runtime.close();
      await health?.close();
    },
  };
}
