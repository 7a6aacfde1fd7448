import { readEnvironment } from '@backfill/core/config/environment';
import { getBatchForStatusChange } from '@backfill/core/db/queries/batch-get';
import { setRollbackMode } from '@backfill/core/db/queries/batch-set-status';
import { deleteOutboxEntry } from '@backfill/core/db/queries/outbox-delete';
import { withTransaction } from '@backfill/core/db/transaction';
import { changeStatus } from '@backfill/core/dispatch/change-status';
import { resumeBatch } from '@backfill/core/dispatch/resume-batch';
import { BATCH_STATUSES, type BatchStatus } from '@backfill/core/domain/batch-status';
import type { RollbackMode } from '@backfill/core/domain/rollback-mode';
import { StaleWorkError } from '@backfill/core/errors';
import { createKeyedRuntime, type KeyedRuntime } from '@backfill/core/runtime/keyed-runtime';
import { prepareDatabases } from '@backfill/core/runtime/prepare-databases';
import { checkCanary } from '@backfill/importer/jobs/check-canary';
import { importPart } from '@backfill/importer/jobs/import-part';
import { restoreSnapshot, revertWindow, tombstoneBatch } from '@backfill/rollback/jobs/take-batch-back';
import { mirrorBatch } from '@backfill/transformer/jobs/mirror-batch';
import { planBatch } from '@backfill/transformer/jobs/plan-batch';
import { transformChunk } from '@backfill/transformer/jobs/transform-chunk';
import { createHeadStart } from '@backfill/verifier/jobs/head-start';
import { publishBatch } from '@backfill/verifier/jobs/publish-batch';
import { reportBatch } from '@backfill/verifier/jobs/report-batch';
import { verifyBatch } from '@backfill/verifier/jobs/verify-batch';
import { createTestEnvironment, type KeyLayout, type TestEnvironment } from '../support/environment.ts';
import { insertBatch, type SubmittedBatch } from '../support/insert-batch.ts';
import { createErasing, type Erasing } from './erasing.ts';

/** A piece of work of the outbox. */
export interface Job {
  outbox_id: number;
  job_id: string;
  kind: string;
  batch_id: string;
  payload: never;
}

/** The pipeline's jobs on real servers, without queues: the caller says which runs next. */
export interface Stepper extends Pick<TestEnvironment, 'env' | 'sql' | 'keys'>, Erasing {
  /** The verifier's, for tests that go into the middle of a job. */
  runtime: KeyedRuntime;
  submit(batch: SubmittedBatch, files: Record<string, string>): Promise<void>;
  /** Puts a batch's raw files in place of what is there. */
  upload(batchId: string, files: Record<string, string>): Promise<void>;
  /** Work that the batch's status calls for now, in the order in which it was written down. */
  dueJobs(batchId: string): Promise<Job[]>;
  /** Runs a job as a worker does. False: it was for a batch that has moved on. */
  run(job: Job): Promise<boolean>;
  /** As a person would; false when the batch cannot go there from where it is. */
  halt(batchId: string): Promise<boolean>;
  resume(batchId: string): Promise<boolean>;
  change(batchId: string, from: readonly BatchStatus[], to: BatchStatus): Promise<boolean>;
  /** False when the batch is rolled back already, or about to be. */
  rollBack(batchId: string, mode: RollbackMode): Promise<boolean>;
  dispose(): Promise<void>;
}

type Handler = (payload: never) => Promise<void>;

function createHandlers(transformer: KeyedRuntime, runtime: KeyedRuntime): Record<string, Handler> {
  const { signal } = new AbortController();
  const headStart = createHeadStart(runtime);
  return {
    plan: (payload) => planBatch(transformer, payload, signal),
    mirror: (payload) => mirrorBatch(transformer, payload, signal),
    transform: (payload) => transformChunk(transformer, payload, signal),
    canary: (payload) => importPart(runtime, payload, signal),
    'check-canary': (payload) => checkCanary(runtime, payload, signal),
    import: (payload) => importPart(runtime, payload, signal),
    recount: (payload) => headStart(payload, signal),
    verify: (payload) => verifyBatch(runtime, payload, signal),
    publish: (payload) => publishBatch(runtime, payload, signal),
    report: (payload) => reportBatch(runtime, payload),
    tombstone: (payload) => tombstoneBatch(runtime, payload),
    window: (payload) => revertWindow(runtime, payload),
    snapshot: (payload) => restoreSnapshot(runtime, payload, signal),
  };
}

/** Statuses that can be rolled back. */
const ROLL_BACK_FROM: readonly BatchStatus[] = BATCH_STATUSES.filter(
  (status) => status !== 'rolling_back' && status !== 'rolled_back',
);

/** @param settings environment variables of the services */
export async function createStepper(layout: KeyLayout, settings: Record<string, string>): Promise<Stepper> {
  const environment = await createTestEnvironment(layout);
  const env = { ...environment.env, ...settings };
  const transformer = createKeyedRuntime(readEnvironment('transformer', env));
  const runtime = createKeyedRuntime(readEnvironment('verifier', env));
  await prepareDatabases(runtime);
  const handlers = createHandlers(transformer, runtime);
  const { pool, store, config } = runtime;
  const upload = async (batchId: string, files: Record<string, string>) => {
    for (const [name, text] of Object.entries(files)) {
      await store.put(config.storage.rawBucket, `${batchId}/${name}`, Buffer.from(text), 'text/plain');
    }
  };
  return {
    env,
    runtime,
    sql: environment.sql,
    keys: environment.keys,
    ...createErasing(runtime),
    async submit(batch, files) {
      await upload(batch.batchId, files);
      await insertBatch(runtime, batch);
    },
    upload,
    async dueJobs(batchId) {
      const { rows } = await pool.query<Job>(
        `select o.outbox_id, o.job_id, o.kind, o.batch_id, o.payload
           from analytics.backfill_outbox o join analytics.backfill_batches b using (batch_id)
          where o.batch_id = $1 and b.status = any (o.when_status) order by o.outbox_id`,
        [batchId],
      );
      return rows;
    },
    async run(job) {
      const handler = handlers[job.kind];
      if (handler === undefined) throw new Error(`who does ${job.kind}?`);
      try {
        await handler(job.payload);
        return true;
      } catch (error) {
        if (error instanceof StaleWorkError) return false;
        throw error;
      } finally {
        await deleteOutboxEntry(pool, job.outbox_id);
      }
    },
    async halt(batchId) {
      const { rowCount } = await environment.sql.query(
        `update analytics.backfill_batches set status = 'halted'
          where batch_id = $1 and analytics.is_status_change_allowed(status, 'halted')`,
        [batchId],
      );
      return rowCount === 1;
    },
    resume: async (batchId) =>
      (await withTransaction(pool, 'test', (client) => resumeBatch(client, batchId))) !== undefined,
    change: (batchId, from, to) =>
      withTransaction(pool, 'test', (client) => changeStatus(client, { batchId, from, to })),
    rollBack: (batchId, mode) =>
      withTransaction(pool, 'test', async (client) => {
        const batch = await getBatchForStatusChange(client, batchId);
        if (batch === undefined || !ROLL_BACK_FROM.includes(batch.status)) return false;
        await setRollbackMode(client, batchId, mode, mode);
        return changeStatus(client, { batchId, from: [batch.status], to: 'rolling_back' });
      }),
    async dispose() {
      await transformer.close();
      await runtime.close();
      await environment.dispose();
    },
  };
}
