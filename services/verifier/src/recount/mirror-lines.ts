import { listErasedLines } from '@backfill/core/db/queries/erased-line-list';
import type { MirrorObject } from '@backfill/core/db/queries/mirror-object-list';
import { listBatchOccurrences } from '@backfill/core/db/queries/occurrences';
import { COPY_FORMAT } from '@backfill/core/domain/format-name';
import { decompress } from '@backfill/core/formats/compression';
import { createRecordScanner } from '@backfill/core/formats/formats';
import type { RawLine } from '@backfill/core/formats/raw-line';
import { readRecords } from '@backfill/core/formats/read-records';
import { countsOccurrences } from '@backfill/core/recipe/recipe';
import { type HashedStream, hashedStream } from '@backfill/core/storage/hashed-stream';
import { archiveLayout } from '@backfill/core/storage/layout';
import { markErased } from '@backfill/core/transform/mark-erased';
import { numberLines } from '@backfill/core/transform/number-lines';
import type { RecountContext } from './recount-context.ts';
import { compileSecondCopyReading } from './second-copy-reading.ts';
import { compileSecondReading, type SecondReading } from './second-reading.ts';

/** A mirrored file's lines, with the numbers of their occurrences. */
export interface MirrorLines {
  lines: AsyncIterable<RawLine[]>;
  /** Of the object; call it when all lines were read. */
  sha256(): string;
}

async function openObject(context: RecountContext, file: MirrorObject, signal: AbortSignal): Promise<HashedStream> {
  const key = archiveLayout.mirrorObject(context.batchId, file.source_file);
  return hashedStream(await context.store.get(context.bucket, key, { size: file.size, signal }), signal);
}

/** Opens a mirrored file. */
export async function openMirrorLines(
  context: RecountContext,
  file: MirrorObject,
  signal: AbortSignal,
): Promise<MirrorLines> {
  const { read, batchId, recipe } = context;
  const mirror = await openObject(context, file, signal);
  // The limit was applied when a copy was made, whose lines may be longer than those they come from.
  const maxLineBytes = file.format === COPY_FORMAT ? Number.POSITIVE_INFINITY : recipe.limits.maxLineBytes;
  const scanner = createRecordScanner(file, { firstLine: 1, maxLineBytes });
  const plain = markErased(readRecords(decompress(mirror.stream, file.compression), scanner), (span) =>
    read((db) => listErasedLines(db, batchId, file.file_no, span)),
  );
  const lines = countsOccurrences(recipe)
    ? numberLines(plain, (span) => read((db) => listBatchOccurrences(db, batchId, file.file_no, span)))
    : plain;
  return { lines, sha256: () => mirror.sha256() };
}

/** True when the object in the mirror is the planned one, byte for byte, as it lies there now. */
export async function isMirrorIntact(
  context: RecountContext,
  file: MirrorObject,
  signal: AbortSignal,
): Promise<boolean> {
  const mirror = await openObject(context, file, signal);
  for await (const _ of mirror.stream) signal.throwIfAborted();
  return mirror.sha256() === file.sha256;
}

/** The second reading that a mirrored file calls for. */
export function secondReadingOf({ recipe, keys }: RecountContext, { format, header }: MirrorObject): SecondReading {
  return format === COPY_FORMAT
    ? compileSecondCopyReading(recipe)
    : compileSecondReading(recipe, keys, { format, header });
}
