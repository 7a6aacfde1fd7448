import { buffer } from 'node:stream/consumers';
import type { Runtime } from '@backfill/core/runtime/runtime';

/** A part as the transformer has made it, and the rows of the tables that an import of it fills. All COPY text. */
export interface PartRows {
  partId: number;
  events: number;
  /** The object as the transformer has written it. */
  object: Buffer;
  staging: Buffer;
  keys: Buffer;
  lineage: Buffer;
}

/** Reads the parts of a batch one after the other and finishes their rows. */
export async function* readParts({ pool, store, config }: Runtime, batchId: string): AsyncGenerator<PartRows> {
  const { rows: parts } = await pool.query<{
    part_id: number;
    object_key: string;
    event_count: number;
    source: string;
  }>(
    `select p.part_id, p.object_key, p.event_count, b.source
       from analytics.backfill_import_parts p join analytics.backfill_batches b using (batch_id)
      where p.batch_id = $1 and p.object_key is not null order by p.part_id`,
    [batchId],
  );
  for (const { part_id: partId, object_key: key, event_count: events, source } of parts) {
    const object = await buffer(await store.get(config.storage.archiveBucket, key));
    yield { partId, events, object, ...finishRows(object.toString(), { batchId, source, partId }) };
  }
}

function finishRows(text: string, { batchId, source, partId }: { batchId: string; source: string; partId: number }) {
  const staging: string[] = [];
  const keys: string[] = [];
  const lineage: string[] = [];
  for (const [index, row] of text.split('\n').slice(0, -1).entries()) {
    const end = row.indexOf('\t');
    const eventId = row.slice(0, end);
    staging.push(`${eventId}\t${batchId}\t${source}${row.slice(end)}\t${partId}\tf\t\\N\n`);
    keys.push(`${eventId}\t${batchId}\t${partId}\n`);
    lineage.push(`${batchId}\t${eventId}\tevents-${partId}\t${index + 1}\n`);
  }
  const toBuffer = (rows: string[]) => Buffer.from(rows.join(''));
  return { staging: toBuffer(staging), keys: toBuffer(keys), lineage: toBuffer(lineage) };
}
