import { copyIn } from '@backfill/core/db/copy-in';
import { IMPORT_PART_COLUMNS } from '@backfill/core/db/import-part-row';
import type { Client } from '@backfill/core/db/pool';
import type { Part } from '@backfill/core/db/queries/part-import';
import { analyzePartRows, createPartRows } from '@backfill/core/db/queries/part-rows';
import { FatalError } from '@backfill/core/errors';
import type { Runtime } from '@backfill/core/runtime/runtime';
import { hashedStream } from '@backfill/core/storage/hashed-stream';

const COPY_PART = `copy pg_temp.part_rows (${IMPORT_PART_COLUMNS.join(', ')}) from stdin`;

/**
 * Streams the part's object into the temporary table `part_rows`.
 *
 * @throws {FatalError} when the object is not the one that the transformer wrote.
 */
export async function loadPartRows(runtime: Runtime, client: Client, part: Part, signal: AbortSignal): Promise<void> {
  const body = await runtime.store.get(runtime.config.storage.archiveBucket, part.object_key);
  const rows = hashedStream(body, signal);
  await createPartRows(client);
  await copyIn(client, COPY_PART, rows.stream);
  if (rows.sha256() !== part.object_sha256) {
    throw new FatalError(`${part.object_key} in the archive is not what the transformer wrote there`);
  }
  await analyzePartRows(client);
}
