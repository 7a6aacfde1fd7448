import { crashPoint } from '@backfill/core/crash-point';
import type { Client } from '@backfill/core/db/pool';
import { getBatchForStatusChange } from '@backfill/core/db/queries/batch-get';
import {
  announceDeletion,
  completeDeletion,
  countDeletion,
  type NewDeletion,
} from '@backfill/core/db/queries/deletions';
import { expiredIdBound } from '@backfill/core/db/queries/expired-keys';
import {
  deleteExpiredLines,
  deleteExpiredRecords,
  LINE_TABLES,
  type LinePage,
  type LinePlace,
  RECORD_TABLES,
} from '@backfill/core/db/queries/expired-records';
import { setRetentionMark } from '@backfill/core/db/queries/retention-facts';
import { withTransaction } from '@backfill/core/db/transaction';
import { StaleWorkError } from '@backfill/core/errors';
import { type DueItem, isComplete, ruleOf } from '@backfill/core/retention/retention-rules';
import type { RetentionWork } from './retention-work.ts';

export type RecordsItem = Extract<DueItem, { kind: 'records' }>;

/** Lines that one transaction looks at. */
const LINES_AT_ONCE = 20_000;
const FIRST: LinePlace = { source_file: '', line_no: -1 };

/** One transaction of a deletion: with the batch held where it is, and what went on the receipt. */
async function deleteSome<T extends { deleted: number }>(
  work: RetentionWork,
  item: RecordsItem,
  receipt: NewDeletion,
  some: (client: Client) => Promise<T>,
): Promise<T> {
  await work.check();
  const done = await withTransaction(work.runtime.pool, work.run.requested_by, async (client) => {
    const batch = await getBatchForStatusChange(client, item.batchId);
    // A new attempt is under way, and may have an exception.
    if (batch === undefined || batch.attempt !== item.attempt || !isComplete(batch)) {
      throw new StaleWorkError(`the records of ${item.batchId} stay: the batch has moved on`);
    }
    const page = await some(client);
    if (page.deleted > 0) {
      await countDeletion(client, await announceDeletion(client, receipt), { rows: page.deleted });
    }
    return page;
  });
  crashPoint('retention:records-deleted');
  return done;
}

/** Walks through a batch's lines, a page a transaction. */
async function deleteLines(
  work: RetentionWork,
  item: RecordsItem,
  receipt: NewDeletion,
  deletePage: (client: Client, page: { after: LinePlace; lines: number }) => Promise<LinePage>,
): Promise<void> {
  let after: LinePlace | null = FIRST;
  while (after !== null) {
    const page: Parameters<typeof deletePage>[1] = { after, lines: LINES_AT_ONCE };
    const { last } = await deleteSome<LinePage>(work, item, receipt, (client) => deletePage(client, page));
    after = last;
  }
}

/** Deletes a batch's lineage, accepted lines, and records of losers, handovers and late deliveries, of events that are gone. */
export async function expireRecords(work: RetentionWork, item: RecordsItem): Promise<void> {
  const { run, limits } = work;
  const { batchId, attempt, source, before, keep } = item;
  const receipt: NewDeletion = {
    runId: run.run_id,
    kind: 'records',
    what: `lineage, accepted lines and loser records of ${batchId}`,
    batchId,
    attempt,
    rule: ruleOf('records', limits),
    cutOff: before,
  };
  const idBound = expiredIdBound(source, before);
  for (const table of LINE_TABLES) {
    const page = (client: Client, at: { after: LinePlace; lines: number }) =>
      deleteExpiredLines(client, table, batchId, { ...at, idBound });
    await deleteLines(work, item, receipt, page);
  }
  const records = { idBound, keep, limit: LINES_AT_ONCE };
  for (const table of RECORD_TABLES) {
    const some = async (client: Client) => ({ deleted: await deleteExpiredRecords(client, table, batchId, records) });
    while ((await deleteSome(work, item, receipt, some)).deleted > 0);
  }
  await withTransaction(work.runtime.pool, run.requested_by, async (client) => {
    await completeDeletion(client, receipt);
    await setRetentionMark(client, 'records', `${batchId}/${attempt}`, { cutOff: before });
  });
}
