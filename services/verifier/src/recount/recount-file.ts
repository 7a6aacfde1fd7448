import { listLedgerLines } from '@backfill/core/db/queries/ledger-line-list';
import type { MirrorObject } from '@backfill/core/db/queries/mirror-object-list';
import { listBatchOccurrences } from '@backfill/core/db/queries/occurrences';
import type { BatchReader } from '@backfill/core/dispatch/read-for-batch';
import { COPY_FORMAT } from '@backfill/core/domain/format-name';
import { decompress } from '@backfill/core/formats/compression';
import { createRecordScanner } from '@backfill/core/formats/formats';
import { readRecords } from '@backfill/core/formats/read-records';
import type { KeyRing } from '@backfill/core/recipe/key-ring';
import { countsOccurrences, type Recipe } from '@backfill/core/recipe/recipe';
import { hashedStream } from '@backfill/core/storage/hashed-stream';
import { archiveLayout } from '@backfill/core/storage/layout';
import type { ObjectStore } from '@backfill/core/storage/object-store';
import { numberLines } from '@backfill/core/transform/number-lines';
import { compareLines, type LineFindings } from './compare-lines.ts';
import { compileSecondCopyReading } from './second-copy-reading.ts';
import { compileSecondReading, type SecondReading } from './second-reading.ts';

/** What a recount works with. */
export interface RecountContext {
  read: BatchReader;
  store: ObjectStore;
  /** Of the archive. */
  bucket: string;
  batchId: string;
  recipe: Recipe;
  keys: KeyRing;
  isSuppressed(subjectId: string): boolean;
}

/** A file of the mirror as it was found. */
export interface FileRecount extends LineFindings {
  /** The object's bytes are the planned ones. */
  isIntact: boolean;
}

const LEDGER_LINES_AT_ONCE = 10_000;

function readingOf({ recipe, keys }: RecountContext, { format, header }: MirrorObject): SecondReading {
  return format === COPY_FORMAT
    ? compileSecondCopyReading(recipe)
    : compileSecondReading(recipe, keys, { format, header });
}

/** Reads a mirrored file anew, every line of it by the second reading, and holds it against the ledger. */
export async function recountFile(
  context: RecountContext,
  file: MirrorObject,
  signal: AbortSignal,
): Promise<FileRecount> {
  const { read, store, bucket, batchId, recipe } = context;
  const key = archiveLayout.mirrorObject(batchId, file.source_file);
  const body = await store.get(bucket, key, { size: file.size, signal });
  const mirror = hashedStream(body, signal);
  // The limit was applied when a copy was made, whose lines may be longer than those they come from.
  const maxLineBytes = file.format === COPY_FORMAT ? Number.POSITIVE_INFINITY : recipe.limits.maxLineBytes;
  const scanner = createRecordScanner(file, { firstLine: 1, maxLineBytes });
  const plain = readRecords(decompress(mirror.stream, file.compression), scanner);
  const lines = countsOccurrences(recipe)
    ? numberLines(plain, (span) => read((db) => listBatchOccurrences(db, batchId, file.file_no, span)))
    : plain;
  const found = await compareLines(lines, {
    read: readingOf(context, file),
    isSuppressed: context.isSuppressed,
    nextLedgerLines: (after) =>
      read((db) => listLedgerLines(db, batchId, file.source_file, after, LEDGER_LINES_AT_ONCE)),
  });
  return { ...found, isIntact: mirror.sha256() === file.sha256 };
}
