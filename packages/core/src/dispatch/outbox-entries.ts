import type { JobDefinition, QueueContract } from '../contracts/define-queue.ts';
import { rawChunks } from '../contracts/raw-chunks.ts';
import { rollback } from '../contracts/rollback.ts';
import { transformedEvents } from '../contracts/transformed-events.ts';
import { verification } from '../contracts/verification.ts';
import type { BatchRow } from '../db/queries/batch-get.ts';
import type { OutboxEntry } from '../db/queries/outbox-insert-many.ts';

function entry<J extends Record<string, JobDefinition>, P extends { batch_id: string }>(
  contract: QueueContract<J>,
  kind: keyof J & string,
  job: JobDefinition<P>,
  payload: P,
): OutboxEntry {
  return {
    jobId: job.jobId(payload),
    queue: contract.name,
    kind,
    batchId: payload.batch_id,
    payload: job.payload.parse(payload) as object,
    whenStatus: job.whenStatus,
  };
}

/** The entry that has a chunk transformed. */
export function transformEntry(batchId: string, chunk: { chunk_id: number; epoch: number }): OutboxEntry {
  return entry(rawChunks, 'transform', rawChunks.jobs.transform, { v: 1, batch_id: batchId, ...chunk });
}

/** The entry that has a part imported. */
export function importEntry(
  batchId: string,
  part: { part_id: number; epoch: number; is_canary: boolean },
): OutboxEntry {
  const kind = part.is_canary ? 'canary' : 'import';
  return entry(transformedEvents, kind, transformedEvents.jobs[kind], {
    v: 1,
    batch_id: batchId,
    part_id: part.part_id,
    epoch: part.epoch,
  });
}

/** The entry that has the batch's canary checked, once its parts are imported. */
export function checkCanaryEntry(batch: Pick<BatchRow, 'batch_id' | 'batch_no' | 'epoch'>): OutboxEntry {
  const { batch_id, batch_no, epoch } = batch;
  const job = transformedEvents.jobs['check-canary'];
  return entry(transformedEvents, 'check-canary', job, { v: 1, batch_id, batch_no, epoch });
}

/** The entry that has the batch's mirror read a second time. */
export function recountEntry(batch: Pick<BatchRow, 'batch_id' | 'batch_no' | 'epoch'>): OutboxEntry {
  const { batch_id, batch_no, epoch } = batch;
  return entry(verification, 'recount', verification.jobs.recount, { v: 1, batch_id, batch_no, epoch });
}

/** The entry for work on the batch as a whole, which its status calls for, or undefined. */
export function batchEntry(
  batch: Pick<BatchRow, 'batch_id' | 'batch_no' | 'epoch' | 'status' | 'rollback_mode'>,
): OutboxEntry | undefined {
  const payload = { v: 1 as const, batch_id: batch.batch_id, batch_no: batch.batch_no, epoch: batch.epoch };
  switch (batch.status) {
    case 'submitted':
    case 'planning':
      return entry(rawChunks, 'plan', rawChunks.jobs.plan, payload);
    case 'preparing':
      return entry(rawChunks, 'mirror', rawChunks.jobs.mirror, payload);
    case 'verifying':
      return entry(verification, 'verify', verification.jobs.verify, payload);
    case 'publishing':
      return entry(verification, 'publish', verification.jobs.publish, payload);
    case 'gates_failed':
    case 'awaiting_publish_approval':
    case 'published':
    case 'rolled_back':
      return entry(verification, 'report', verification.jobs.report, payload);
    case 'rolling_back': {
      const mode = batch.rollback_mode ?? 'tombstone';
      return entry(rollback, mode, rollback.jobs[mode], payload);
    }
    default:
      return undefined;
  }
}
