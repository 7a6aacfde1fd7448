import type { Client } from '@backfill/core/db/pool';
import { readRows } from '@backfill/core/db/read-rows';
import { TextHash } from '../gates/text-hash.ts';

const PUBLISHED_IDS_SQL = `
  select l.event_id from analytics.events_log l, analytics.backfill_batches b
   where b.batch_id = $1 and l.batch_id = $1 and l.deleted_at is null
     and l.event_ts >= b.window_start and l.event_ts < b.window_end
   order by l.event_id`;

/** Reads the ids of the batch's live rows back: the sha256 over them, sorted, each with a line end. */
export async function checksumPublished(client: Client, batchId: string): Promise<string> {
  const ids = new TextHash();
  for await (const rows of readRows<{ event_id: string }>(client, PUBLISHED_IDS_SQL, [batchId], 5_000)) {
    for (const row of rows) ids.add(`${row.event_id}\n`);
  }
  return ids.hex();
}
