import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { copyIn } from '@backfill/core/db/copy-in';
import { IMPORT_PART_COLUMNS } from '@backfill/core/db/import-part-row';
import type { Client } from '@backfill/core/db/pool';
import type { Part } from '@backfill/core/db/queries/part-import';
import { analyzePartRows, createPartRows } from '@backfill/core/db/queries/part-rows';
import { FatalError } from '@backfill/core/errors';
import type { Runtime } from '@backfill/core/runtime/runtime';

const COPY_PART = `copy pg_temp.part_rows (${IMPORT_PART_COLUMNS.join(', ')}) from stdin`;

/**
 * Streams the part's object into the temporary table `part_rows`.
 *
 * @throws {FatalError} when the object is not the one that the transformer wrote.
 */
export async function loadPartRows(runtime: Runtime, client: Client, part: Part, signal: AbortSignal): Promise<void> {
  const body = await runtime.store.get(runtime.config.storage.archiveBucket, part.object_key);
  const sha256 = createHash('sha256');
  async function* measured(): AsyncGenerator<Buffer> {
    for await (const block of body as AsyncIterable<Buffer>) {
      signal.throwIfAborted();
      sha256.update(block);
      yield block;
    }
  }
  await createPartRows(client);
  await copyIn(client, COPY_PART, Readable.from(measured(), { objectMode: false }));
  if (sha256.digest('hex') !== part.object_sha256) {
    throw new FatalError(`${part.object_key} in the archive is not what the transformer wrote there`);
  }
  await analyzePartRows(client);
}
