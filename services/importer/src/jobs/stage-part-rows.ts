import { Readable } from 'node:stream';
import { copyIn } from '@backfill/core/db/copy-in';
import { IMPORT_PART_COLUMNS } from '@backfill/core/db/import-part-row';
import type { Client } from '@backfill/core/db/pool';
import type { Part } from '@backfill/core/db/queries/part-import';
import type { DuplicateKind } from '@backfill/core/domain/duplicate-kind';
import { FatalError } from '@backfill/core/errors';
import type { Runtime } from '@backfill/core/runtime/runtime';
import { hashedStream } from '@backfill/core/storage/hashed-stream';
import { markRows } from './mark-rows.ts';

/**
 * Copies the part's object into the batch's staging leaf, whose defaults say what the rows have in common.
 *
 * @param kinds row (from 0) → why it is not new
 * @throws {FatalError} when the object is not the one that the transformer wrote.
 */
export async function stagePartRows(
  { store, config }: Runtime,
  client: Client,
  part: Part,
  kinds: ReadonlyMap<number, DuplicateKind>,
  signal: AbortSignal,
): Promise<void> {
  const columns = kinds.size === 0 ? IMPORT_PART_COLUMNS : [...IMPORT_PART_COLUMNS, 'is_duplicate', 'duplicate_kind'];
  const body = await store.get(config.storage.archiveBucket, part.object_key, { size: part.object_bytes, signal });
  const object = hashedStream(body, signal);
  const rows = kinds.size === 0 ? object.stream : Readable.from(markRows(object.stream, kinds), { objectMode: false });
  await client.query(`select set_config('analytics.part_id', $1, true)`, [String(part.part_id)]);
  const staged = await copyIn(client, `copy analytics.${part.staging_leaf} (${columns.join(', ')}) from stdin`, rows);
  if (object.sha256() !== part.object_sha256 || staged !== part.event_count) {
    throw new FatalError(`${part.object_key} in the archive is not what the transformer wrote there`);
  }
}
