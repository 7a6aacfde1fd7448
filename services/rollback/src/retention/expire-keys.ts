import { crashPoint } from '@backfill/core/crash-point';
import { withKeyTransaction } from '@backfill/core/db/key-transaction';
import {
  announceDeletion,
  completeDeletion,
  countDeletion,
  type NewDeletion,
} from '@backfill/core/db/queries/deletions';
import { deleteExpiredKeys, expiredKeyRange, type KeyRange } from '@backfill/core/db/queries/expired-keys';
import { getRetentionMark, listRetentionBatches, setRetentionMark } from '@backfill/core/db/queries/retention-facts';
import { withTransaction } from '@backfill/core/db/transaction';
import { aboutEventsDue, type DueItem, isFresh, ruleOf } from '@backfill/core/retention/retention-rules';
import type { RetentionWork } from './retention-work.ts';

export type KeysItem = Extract<DueItem, { kind: 'keys' }>;

/** Keys that one transaction looks at. */
const KEYS_AT_ONCE = 50_000;
/** In the names of prepared transactions. No batch is called so. */
const NO_BATCH = '*retention';

/** Deletes a page of keys, in one transaction with its receipt also where the keys have a database of their own. */
async function deletePage(
  work: RetentionWork,
  item: KeysItem,
  receipt: NewDeletion,
  range: KeyRange,
): Promise<string | null> {
  const { run, now } = work;
  const { pool, keyStore } = work.runtime;
  const keyWork = { batchId: NO_BATCH, partId: 0, epoch: run.run_id };
  const options = { pool, keyStore, actor: run.requested_by, step: 'retention', work: keyWork };
  return withKeyTransaction(options, async (client, keys) => {
    const batches = await listRetentionBatches(client);
    const due = aboutEventsDue(batches, receipt.cutOff, now);
    // Whose keys stay is asked anew with each page: a batch may have begun meanwhile.
    const same = due.find((one): one is KeysItem => one.kind === 'keys' && one.source === item.source);
    const { deleted, last } =
      same === undefined
        ? { deleted: 0, last: null }
        : await deleteExpiredKeys(await keys.open(), range, same.keep, KEYS_AT_ONCE);
    if (deleted > 0) await countDeletion(client, await announceDeletion(client, receipt), { rows: deleted });
    await keys.prepare();
    return last;
  });
}

/** Deletes the dedup keys of a source's events from before a moment: those events are gone. */
export async function expireKeys(work: RetentionWork, item: KeysItem, before: Date): Promise<void> {
  const { run, limits, now } = work;
  const { pool } = work.runtime;
  if (isFresh(await getRetentionMark(pool, 'keys', item.source, before), item.keep, now)) return;
  const receipt: NewDeletion = {
    runId: run.run_id,
    kind: 'keys',
    what: `analytics.backfill_event_checkpoint of ${item.source}`,
    rule: ruleOf('keys', limits),
    cutOff: before,
  };
  const range = expiredKeyRange(item.source, before);
  for (let after: string | null = range.after; after !== null; ) {
    await work.check();
    after = await deletePage(work, item, receipt, { ...range, after });
    crashPoint('retention:keys-deleted');
  }
  await withTransaction(pool, run.requested_by, async (client) => {
    await completeDeletion(client, receipt);
    await setRetentionMark(client, 'keys', item.source, { cutOff: before, kept: item.keep });
  });
}
