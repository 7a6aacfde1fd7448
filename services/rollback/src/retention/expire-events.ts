import { crashPoint } from '@backfill/core/crash-point';
import type { Client } from '@backfill/core/db/pool';
import {
  announceDeletion,
  completeDeletion,
  countDeletion,
  type NewDeletion,
} from '@backfill/core/db/queries/deletions';
import {
  countEventBlocks,
  deleteEventsInBlocks,
  dropEventPartition,
  hasEventsInBlocks,
  holdEventPartition,
  lockStoredEvents,
  measureEventPartition,
} from '@backfill/core/db/queries/event-partition-expire';
import { deleteRetentionMark, setRetentionMark } from '@backfill/core/db/queries/retention-facts';
import { withTransaction } from '@backfill/core/db/transaction';
import { DeferError } from '@backfill/core/errors';
import { type EventsItem, retentionMoments, ruleOf } from '@backfill/core/retention/retention-rules';
import { type RetentionWork, readDue } from './retention-work.ts';

/** Blocks of 8 KiB that one transaction looks through: 32 MiB. */
const BLOCKS_AT_ONCE = 4_096;
const CHANGED_DELAY_MS = 1_000;

/** @throws {DeferError} when the partition is not to be treated like this any more. */
async function requireSame(work: RetentionWork, client: Client, item: EventsItem): Promise<void> {
  const due = await readDue(work, client);
  const isSame = due.some(
    (one) =>
      one.kind === 'events' && one.leaf === item.leaf && one.mode === item.mode && one.keep.join() === item.keep.join(),
  );
  if (!isSame) throw new DeferError(`${item.leaf}: a batch of its days has moved on`, CHANGED_DELAY_MS);
}

function receiptOf({ run, limits, now }: RetentionWork, item: EventsItem): NewDeletion {
  const { run_id: runId } = run;
  const cutOff = retentionMoments(limits, now).events;
  return { runId, kind: 'events', what: `analytics.${item.leaf}`, rule: ruleOf('events', limits), cutOff };
}

/** Drops a partition, in one transaction with its receipt. Readers wait for it, and it waits for nobody for long. */
async function dropDay(work: RetentionWork, item: EventsItem): Promise<void> {
  await withTransaction(work.runtime.pool, work.run.requested_by, async (client) => {
    await holdEventPartition(client, item.leaf);
    const receipt = receiptOf(work, item);
    const deletion = await announceDeletion(client, receipt);
    await countDeletion(client, deletion, await measureEventPartition(client, item.leaf));
    await lockStoredEvents(client);
    // Whatever is published from now on waits for the lock, and finds the day gone.
    await requireSame(work, client, item);
    await dropEventPartition(client, item.leaf);
    await completeDeletion(client, receipt);
    await deleteRetentionMark(client, 'events', item.leaf);
    crashPoint('retention:day-dropped');
  });
}

/** Deletes what is not to be kept out of a partition, some blocks a transaction. */
async function deleteRows(work: RetentionWork, item: EventsItem): Promise<void> {
  const { pool } = work.runtime;
  const receipt = receiptOf(work, item);
  const blocks = await countEventBlocks(pool, item.leaf);
  const bounds = { before: receipt.cutOff, keep: item.keep };
  for (let from = 0; from < blocks; from += BLOCKS_AT_ONCE) {
    await work.check();
    const range = { from, to: from + BLOCKS_AT_ONCE };
    // Without a lock: most blocks have nothing, and live writers may be at work in the partition.
    if (!(await hasEventsInBlocks(pool, item.leaf, range, bounds))) continue;
    await withTransaction(pool, work.run.requested_by, async (client) => {
      await holdEventPartition(client, item.leaf);
      await requireSame(work, client, item);
      const rows = await deleteEventsInBlocks(client, item.leaf, range, bounds);
      if (rows > 0) await countDeletion(client, await announceDeletion(client, receipt), { rows });
    });
    crashPoint('retention:rows-deleted');
  }
  await withTransaction(pool, work.run.requested_by, async (client) => {
    await completeDeletion(client, receipt, { kept_for: item.keep });
    await setRetentionMark(client, 'events', item.leaf, { cutOff: receipt.cutOff, kept: item.keep });
  });
}

/** Deletes the events of a partition that are past their time. */
export async function expireEvents(work: RetentionWork, item: EventsItem): Promise<void> {
  await work.check();
  await (item.mode === 'drop' ? dropDay(work, item) : deleteRows(work, item));
}
