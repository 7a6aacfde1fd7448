import type { Client } from '../db/pool.ts';
import { type BatchRow, getBatch } from '../db/queries/batch-get.ts';
import { type StatusChange, setBatchStatus } from '../db/queries/batch-set-status.ts';
import { getCanaryState } from '../db/queries/canary-get.ts';
import { listOpenChunks, listReadyParts } from '../db/queries/open-work-list.ts';
import { insertOutboxEntries } from '../db/queries/outbox-insert-many.ts';
import { canaryPartLines } from '../domain/canary.ts';
import { batchEntry, checkCanaryEntry, importEntry, recountEntry, transformEntry } from './outbox-entries.ts';

/**
 * Writes down all work that the batch's status calls for and that is not done yet. Safe to repeat: the ledger says
 * what is open, and a job id is written down once.
 */
export async function enqueueOpenWork(client: Client, batch: BatchRow): Promise<void> {
  const whole = batchEntry(batch);
  if (whole !== undefined) return insertOutboxEntries(client, [whole]);
  if (batch.status === 'canary') return enqueueCanary(client, batch);
  if (batch.status !== 'importing') return;
  const chunks = await listOpenChunks(client, batch.batch_id);
  const parts = await listReadyParts(client, batch.batch_id);
  await insertOutboxEntries(client, [
    ...chunks.map((chunk) => transformEntry(batch.batch_id, chunk)),
    ...parts.map((part) => importEntry(batch.batch_id, part)),
    recountEntry(batch),
  ]);
}

/**
 * Writes down what the canary needs next: the import of its parts, the first chunk that is open (the others wait, so that
 * nothing is read before it must be), or the check of it all. Safe to repeat.
 */
export async function enqueueCanary(client: Client, batch: BatchRow): Promise<void> {
  const canary = await getCanaryState(client, batch.batch_id);
  if (canary === undefined) return;
  const [chunk] = await listOpenChunks(client, batch.batch_id);
  const parts = await listReadyParts(client, batch.batch_id);
  const isOver = canaryPartLines(canary, canary.wanted) === undefined || chunk === undefined;
  await insertOutboxEntries(client, [
    ...(chunk === undefined ? [] : [transformEntry(batch.batch_id, chunk)]),
    ...parts.map((part) => importEntry(batch.batch_id, part)),
    ...(isOver && canary.ready === 0 ? [checkCanaryEntry(batch)] : []),
  ]);
}

/**
 * Changes a batch's status and writes down, in the same transaction, the work that follows from it. The only way a
 * stage begins.
 *
 * @returns false when the batch was not in one of the `from` statuses (or epoch); nothing was changed then.
 */
export async function changeStatus(client: Client, change: StatusChange): Promise<boolean> {
  if (!(await setBatchStatus(client, change))) return false;
  const batch = await getBatch(client, change.batchId);
  if (batch !== undefined) await enqueueOpenWork(client, batch);
  return true;
}
