import { crashPoint } from '@backfill/core/crash-point';
import type { Client } from '@backfill/core/db/pool';
import { getBatchForStatusChange } from '@backfill/core/db/queries/batch-get';
import {
  announceDeletion,
  completeDeletion,
  countDeletion,
  type NewDeletion,
  sizeDeletion,
} from '@backfill/core/db/queries/deletions';
import { deleteRecounts } from '@backfill/core/db/queries/recounts';
import { setRetentionMark } from '@backfill/core/db/queries/retention-facts';
import { withTransaction } from '@backfill/core/db/transaction';
import { BackfillError } from '@backfill/core/errors';
import { countExpiring, listExpiring } from '@backfill/core/retention/archive-objects';
import type { DueItem } from '@backfill/core/retention/retention-rules';
import { ruleOf } from '@backfill/core/retention/retention-rules';
import { type RetentionWork, readDue } from './retention-work.ts';

export type ArchiveItem = Extract<DueItem, { kind: 'archive' | 'snapshots' }>;

/** Objects that are deleted at once; so many may go after the office was lost. */
const AT_ONCE = 16;

/** The place that stands for all that goes with it. */
const PLACES = { archive: 'raw', snapshots: 'snapshots' } as const;

function receiptOf({ runtime, run, limits }: RetentionWork, item: ArchiveItem): NewDeletion {
  return {
    runId: run.run_id,
    kind: item.kind,
    what: `s3://${runtime.config.storage.archiveBucket}/${PLACES[item.kind]}/${item.batchId}/`,
    batchId: item.batchId,
    attempt: item.attempt,
    rule: ruleOf(item.kind, limits),
    cutOff: item.madeAt,
  };
}

/** Holds the batch where it is until the transaction ends. @returns false when the item is not due any more */
async function holdDue(work: RetentionWork, client: Client, item: ArchiveItem): Promise<boolean> {
  await getBatchForStatusChange(client, item.batchId);
  const due = await readDue(work, client);
  return due.some((one) => one.kind === item.kind && one.batchId === item.batchId);
}

/**
 * Announces the deletion, unless the batch has gone on meanwhile: whoever starts it anew finds the announcement.
 *
 * @returns how many objects it is about; undefined when it is not due any more
 */
async function announce(work: RetentionWork, item: ArchiveItem): Promise<number | undefined> {
  const { store, pool, config } = work.runtime;
  const { parts: detail, ...counts } = await countExpiring(store, config.storage.archiveBucket, item);
  return withTransaction(pool, work.run.requested_by, async (client) => {
    if (!(await holdDue(work, client, item))) return undefined;
    if (counts.objects === 0) return 0;
    const deletion = await announceDeletion(client, receiptOf(work, item));
    await sizeDeletion(client, deletion, { ...counts, detail });
    return counts.objects;
  });
}

async function deleteObjects({ runtime, check }: RetentionWork, item: ArchiveItem): Promise<void> {
  const { store, config } = runtime;
  const { archiveBucket } = config.storage;
  let chunk: string[] = [];
  const flush = async () => {
    await check();
    await Promise.all(chunk.map((key) => store.remove(archiveBucket, key)));
    chunk = [];
    crashPoint('retention:objects-deleted');
  };
  for await (const { key } of listExpiring(store, archiveBucket, item)) {
    chunk.push(key);
    if (chunk.length === AT_ONCE) await flush();
  }
  if (chunk.length > 0) await flush();
}

/**
 * Deletes a batch's mirror with all that was made of it, or its snapshots. The receipt says before what will be gone, and
 * afterwards that it is: whoever comes after a crash finds it open and goes on.
 */
export async function expireArchive(work: RetentionWork, item: ArchiveItem): Promise<void> {
  const { pool, store, config } = work.runtime;
  const announced = await announce(work, item);
  if (announced === undefined) return;
  crashPoint('retention:announced');
  // What was not announced may be of an attempt that has begun since.
  if (announced > 0) await deleteObjects(work, item);
  const left = await countExpiring(store, config.storage.archiveBucket, item);
  if (left.objects > 0) throw new BackfillError(`${left.objects} objects of ${item.batchId} came back`);
  await work.check();
  await withTransaction(pool, work.run.requested_by, async (client) => {
    if (!(await holdDue(work, client, item))) return;
    const receipt = receiptOf(work, item);
    const readings = item.kind === 'archive' ? await deleteRecounts(client, item.batchId) : 0;
    if (readings > 0) await countDeletion(client, await announceDeletion(client, receipt), { rows: readings });
    await completeDeletion(client, receipt);
    await setRetentionMark(client, item.kind, item.batchId, { cutOff: item.madeAt });
  });
}
