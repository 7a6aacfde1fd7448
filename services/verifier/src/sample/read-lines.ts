import type { Chunk } from '@backfill/core/db/queries/chunk-get';
import { listChunks } from '@backfill/core/db/queries/chunk-list';
import { listBatchOccurrences } from '@backfill/core/db/queries/occurrences';
import type { BatchReader } from '@backfill/core/dispatch/read-for-batch';
import type { RawLine } from '@backfill/core/formats/raw-line';
import { countsOccurrences, type Recipe } from '@backfill/core/recipe/recipe';
import { archiveLayout } from '@backfill/core/storage/layout';
import type { ObjectStore } from '@backfill/core/storage/object-store';
import { readChunk } from '@backfill/core/transform/read-chunk';

export interface MirrorAccess {
  read: BatchReader;
  store: ObjectStore;
  /** Of the archive. */
  bucket: string;
  batchId: string;
  recipe: Recipe;
}

/** A line of the mirror, and how its file is written. */
export interface MirrorLine extends Pick<Chunk, 'format' | 'header'> {
  line: RawLine;
}

/** A place in the mirror. */
export interface LinePlace {
  file_no: number;
  line_no: number;
}

/** A key of a line among those of a batch. */
export const placeKey = ({ file_no, line_no }: LinePlace) => `${file_no}:${line_no}`;

/**
 * Reads single lines of the mirror: of each chunk that holds one, the stretch from its beginning to the last of them, once,
 * as a stream.
 *
 * @returns the lines by {@link placeKey}; a place where the mirror has no line is missing
 */
export async function readMirrorLines(
  access: MirrorAccess,
  places: readonly LinePlace[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, MirrorLine>> {
  const found = new Map<string, MirrorLine>();
  for (const chunk of await access.read((db) => listChunks(db, access.batchId))) {
    const end = chunk.first_line + chunk.line_count;
    const inside = places.filter((at) => at.file_no === chunk.file_no && at.line_no >= chunk.first_line);
    const wanted = new Set(inside.map(({ line_no }) => line_no).filter((lineNo) => lineNo < end));
    if (wanted.size === 0) continue;
    for (const line of await readWanted(access, chunk, wanted, signal)) {
      await numberLine(access, chunk.file_no, line);
      const { file_no, format, header } = chunk;
      found.set(placeKey({ file_no, line_no: line.lineNo }), { line, format, header });
    }
  }
  return found;
}

async function readWanted(
  { store, bucket, batchId, recipe }: MirrorAccess,
  chunk: Chunk,
  wanted: ReadonlySet<number>,
  signal: AbortSignal,
): Promise<RawLine[]> {
  const object = { bucket, key: archiveLayout.mirrorObject(batchId, chunk.source_file) };
  const found: RawLine[] = [];
  for await (const lines of readChunk(store, object, chunk, { maxLineBytes: recipe.limits.maxLineBytes, signal })) {
    signal.throwIfAborted();
    for (const line of lines) {
      // A copy: the line shares memory with the block it was read from.
      if (wanted.has(line.lineNo)) found.push({ ...line, bytes: line.bytes && Buffer.from(line.bytes) });
    }
    if (found.length === wanted.size) break;
  }
  return found;
}

async function numberLine({ read, batchId, recipe }: MirrorAccess, fileNo: number, line: RawLine): Promise<void> {
  if (!countsOccurrences(recipe)) return;
  const span = { firstLine: line.lineNo, lastLine: line.lineNo };
  const occurrence = (await read((db) => listBatchOccurrences(db, batchId, fileNo, span))).get(line.lineNo);
  if (occurrence !== undefined) line.occurrence = occurrence;
}
