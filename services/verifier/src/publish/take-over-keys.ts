import type { KeyTransaction } from '@backfill/core/db/key-transaction';
import type { Client } from '@backfill/core/db/pool';
import {
  listEventsToTakeOver,
  listRivals,
  recordPublishedEvents,
  recordTakenKeys,
  takeKeys,
} from '@backfill/core/db/queries/key-takeover';

const KEYS_AT_ONCE = 20_000;

/**
 * Makes a batch that publishes the owner of the events which it had lost to batches that are not published.
 *
 * @returns how many, and the batches that meant to publish what is taken now
 */
export async function takeOverKeys(
  client: Client,
  keys: KeyTransaction,
  batchId: string,
): Promise<{ taken: number; rivals: string[] }> {
  const rivals = new Set<string>();
  let taken = 0;
  for (let after = ''; ; ) {
    const eventIds = await listEventsToTakeOver(client, batchId, after, KEYS_AT_ONCE);
    const last = eventIds.at(-1);
    if (last === undefined) break;
    const takenKeys = await takeKeys(await keys.open(), batchId, eventIds);
    for (const rival of await recordTakenKeys(client, batchId, takenKeys)) rivals.add(rival);
    taken += takenKeys.length;
    after = last;
  }
  await recordPublishedEvents(client, batchId);
  for (const rival of await listRivals(client, batchId)) rivals.add(rival);
  return { taken, rivals: [...rivals] };
}
