import type { Client } from '@backfill/core/db/pool';
import { readRows } from '@backfill/core/db/read-rows';
import { TextHash } from '../gates/text-hash.ts';

const PUBLISHED_IDS_SQL = `
  select l.event_id from analytics.events_log l, analytics.backfill_batches b
   where b.batch_id = $1 and l.batch_id = $1 and l.deleted_at is null
     and l.event_ts >= b.window_start and l.event_ts < b.window_end
   order by l.event_id`;

/** Reads the batch's live rows back: their number, and the sha256 over their sorted ids, each with a line end. */
export async function readPublished(client: Client, batchId: string): Promise<{ rowCount: number; checksum: string }> {
  const ids = new TextHash();
  let rowCount = 0;
  for await (const rows of readRows<{ event_id: string }>(client, PUBLISHED_IDS_SQL, [batchId], 5_000)) {
    for (const row of rows) ids.add(`${row.event_id}\n`);
    rowCount += rows.length;
  }
  return { rowCount, checksum: ids.hex() };
}
