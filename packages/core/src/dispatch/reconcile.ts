import { CONTRACTS } from '../contracts/contracts.ts';
import { maintenance } from '../contracts/maintenance.ts';
import type { Pool, Queryable } from '../db/pool.ts';
import { getBatchForStatusChange } from '../db/queries/batch-get.ts';
import { hasErasureObjects } from '../db/queries/erasure-objects.ts';
import { listOpenErasures } from '../db/queries/erasures.ts';
import { listBatchesWithoutWork } from '../db/queries/open-work-list.ts';
import { listSentOutboxEntries, resetOutboxEntries } from '../db/queries/outbox-dispatch.ts';
import { listOpenRetentionRuns } from '../db/queries/retention-runs.ts';
import { withTransaction } from '../db/transaction.ts';
import { describeError } from '../errors.ts';
import type { Logger } from '../observability/logger.ts';
import type { Producer } from '../queue/producer.ts';
import { advanceBatch } from './advance-batch.ts';
import { enqueueOpenWork } from './change-status.ts';
import type { Producers } from './dispatcher.ts';
import type { KeyResolver } from './key-resolver.ts';
import type { LateSweeper } from './late-sweeper.ts';
import { listReadyRuns } from './start-run.ts';

/** A job that was sent this long ago is looked after. */
const LOOK_AFTER_MS = 5_000;
const PURGE_EVERY_MS = 15 * 60_000;
const RETENTION_EVERY_MS = 60 * 60_000;

/** Has work sent again whose job Redis has lost, dropped or given up. */
async function resendGoneJobs(db: Queryable, producers: Producers, logger: Logger): Promise<void> {
  for (const contract of Object.values(CONTRACTS)) {
    const producer = producers[contract.name];
    if (producer === undefined) continue;
    const sent = await listSentOutboxEntries(db, contract.name, LOOK_AFTER_MS);
    if (sent.length === 0) continue;
    const gone = await producer.findGone(sent);
    if (gone.length === 0) continue;
    await producer.remove(gone);
    await resetOutboxEntries(db, gone);
    logger.warn({ queue: contract.name, jobs: gone.length }, 'jobs were gone and are sent again');
  }
}

/** Writes down the work of batches that are on their way without any: a crash fell between two transactions. */
async function mendBatchesWithoutWork(pool: Pool, db: Queryable): Promise<void> {
  for (const batchId of await listBatchesWithoutWork(db)) {
    await withTransaction(pool, 'reconciler', async (client) => {
      const batch = await getBatchForStatusChange(client, batchId);
      if (batch !== undefined) await enqueueOpenWork(client, batch);
    });
    await advanceBatch(pool, batchId, 'reconciler');
  }
}

/** Moves on batches that nothing is missing of any more, without anybody having been there to see it. */
async function startReadyRuns(pool: Pool, db: Queryable, logger: Logger): Promise<void> {
  try {
    for (const batchId of await listReadyRuns(db)) await advanceBatch(pool, batchId, 'reconciler');
  } catch (error) {
    // A plan that names no approvals is one batch's fault, and must not keep the work of all others waiting.
    logger.warn({ error: describeError(error) }, 'runs that wait for people cannot be looked after');
  }
}

/** Has the schedulers there, and sends the runs of retention and the erasures that were asked for or cut off. */
async function keepMaintenance(db: Queryable, producer: Producer): Promise<void> {
  await producer.schedule('purge-staging', { v: 1 }, PURGE_EVERY_MS);
  await producer.schedule('retention', { v: 1 }, RETENTION_EVERY_MS);
  const { retention, erase } = maintenance.jobs;
  const runs = (await listOpenRetentionRuns(db)).map((run_id) => ({ v: 1 as const, run_id }));
  const erasures = (await listOpenErasures(db)).map((erasure_id) => ({ v: 1 as const, erasure_id }));
  const left = (await hasErasureObjects(db)) ? [{ v: 1 as const }] : [];
  const open = [
    ...runs.map((payload) => ({ kind: 'retention', jobId: retention.jobId(payload), payload })),
    ...[...erasures, ...left].map((payload) => ({ kind: 'erase', jobId: erase.jobId(payload), payload })),
  ];
  if (open.length === 0) return;
  const gone = await producer.findGone(open.map((job) => job.jobId));
  await producer.remove(gone);
  await producer.send(open.filter((job) => gone.includes(job.jobId)));
}

/** What the dispatcher in office does every few seconds, so that nothing depends on Redis remembering. */
export function createReconciler(options: {
  pool: Pool;
  producers: Producers;
  logger: Logger;
  resolver: KeyResolver;
  sweeper: LateSweeper;
}) {
  return async (db: Queryable): Promise<void> => {
    options.resolver.kick();
    options.sweeper.kick();
    await resendGoneJobs(db, options.producers, options.logger);
    await mendBatchesWithoutWork(options.pool, db);
    await startReadyRuns(options.pool, db, options.logger);
    if (options.producers.maintenance !== undefined) await keepMaintenance(db, options.producers.maintenance);
  };
}
