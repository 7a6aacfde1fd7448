import { Readable } from 'node:stream';
import { copyIn } from '@backfill/core/db/copy-in';
import type { Client, Pool } from '@backfill/core/db/pool';
import { withTransaction } from '@backfill/core/db/transaction';
import type { Timing } from './bench-batch.ts';
import type { PartRows } from './part-objects.ts';

const BLOCK_BYTES = 64 * 1024;

/** Cut as they come from a socket. */
export function* blocks(bytes: Buffer): Generator<Buffer> {
  for (let start = 0; start < bytes.length; start += BLOCK_BYTES) yield bytes.subarray(start, start + BLOCK_BYTES);
}

/** Copies the finished rows of a part. */
export async function copyPart(client: Client, leaf: string, part: PartRows): Promise<void> {
  const copy = (columns: string, rows: Buffer) =>
    copyIn(client, `copy analytics.${columns} from stdin`, Readable.from(blocks(rows), { objectMode: false }));
  const columns = 'event_id, batch_id, source, event_name, schema_version, event_ts, session_id, subject_id, payload';
  await copy(`${leaf} (${columns}, part_id, is_duplicate, duplicate_kind)`, part.staging);
  await copy('backfill_event_checkpoint (event_id, batch_id, part_id)', part.keys);
  await copy('backfill_lineage (batch_id, event_id, source_file, line_no)', part.lineage);
}

/**
 * The limit: COPY of finished rows into tables with the same indexes and constraints, a transaction per part.
 *
 * @param cpu reads the processor time of all who take part
 * @returns the time, without that in which no rows were at hand
 */
export async function copyFinishedRows(
  pool: Pool,
  leaf: string,
  parts: AsyncIterable<PartRows>,
  connections: number,
  cpu: () => number,
): Promise<Timing> {
  let ms = 0;
  let events = 0;
  let cpuSeconds = 0;
  let waiting: PartRows[] = [];
  const copyWaiting = async () => {
    const start = performance.now();
    const before = cpu();
    await Promise.all(waiting.map((part) => withTransaction(pool, 'bench', (client) => copyPart(client, leaf, part))));
    ms += performance.now() - start;
    cpuSeconds += cpu() - before;
    waiting = [];
  };
  for await (const part of parts) {
    waiting.push(part);
    events += part.events;
    if (waiting.length === connections) await copyWaiting();
  }
  await copyWaiting();
  return { ms, events, cpuSeconds };
}
