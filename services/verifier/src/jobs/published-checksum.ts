import type { Client } from '@backfill/core/db/pool';
import QueryStream from 'pg-query-stream';
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
  const rows = client.query(new QueryStream(PUBLISHED_IDS_SQL, [batchId], { batchSize: 5_000 }));
  for await (const row of rows as AsyncIterable<{ event_id: string }>) {
    ids.add(`${row.event_id}\n`);
    rowCount += 1;
  }
  return { rowCount, checksum: ids.hex() };
}
