import { type BatchRow, getBatch } from '../db/queries/batch-get.ts';
import { listChunks } from '../db/queries/chunk-list.ts';
import { listErasedLines } from '../db/queries/erased-line-list.ts';
import { type BatchFile, listFiles } from '../db/queries/file-list.ts';
import { listBatchOccurrences } from '../db/queries/occurrences.ts';
import { getPlan } from '../db/queries/plan-get.ts';
import { FatalError } from '../errors.ts';
import type { RawLine } from '../formats/raw-line.ts';
import { countsOccurrences, isCopied } from '../recipe/recipe.ts';
import { archiveLayout } from '../storage/layout.ts';
import { markErased } from './mark-erased.ts';
import { numberLines } from './number-lines.ts';
import { type ChunkObject, readChunk } from './read-chunk.ts';
import { sourcePlace, type TransformTools, type TransformWork, type WorkChunk } from './transform-work.ts';

/** A batch with the plan in force, if there is one. */
export interface PlannedBatch {
  batch: BatchRow;
  files: BatchFile[];
  /** True when every file stands in the archive. */
  isMirrored: boolean;
  /** Undefined before the batch is planned. */
  work: TransformWork | undefined;
}

/**
 * Loads a batch and its ledger: the mirror's objects if the mirror is whole, else the input's, under their pinned ETags.
 *
 * @throws {FatalError} when there is no such batch.
 */
export async function loadBatch(
  { db, store, storage, signal }: TransformTools,
  batchId: string,
): Promise<PlannedBatch> {
  const batch = await getBatch(db, batchId);
  if (batch === undefined) throw new FatalError(`there is no batch ${batchId}: submit it first`);
  const plan = await getPlan(db, batchId);
  const files = await listFiles(db, batchId);
  const isMirrored = files.length > 0 && files.every((file) => file.mirrored_at !== null);
  if (plan === undefined) return { batch, files, isMirrored, work: undefined };
  const { bucket, prefix } = sourcePlace(batch.input);
  const etags = new Map(files.map((file) => [file.file_no, file.etag]));
  const objectOf = ({ file_no, source_file }: WorkChunk): ChunkObject =>
    isMirrored
      ? { bucket: storage.archiveBucket, key: archiveLayout.mirrorObject(batchId, source_file) }
      : { bucket, key: prefix + source_file, ifMatch: etags.get(file_no) ?? '' };
  const { recipe } = plan;
  const { maxLineBytes } = recipe.limits;
  const readLines = (chunk: WorkChunk): AsyncIterable<RawLine[]> => {
    const read = readChunk(store, objectOf(chunk), chunk, { maxLineBytes, signal });
    const lines = isMirrored ? markErased(read, (span) => listErasedLines(db, batchId, chunk.file_no, span)) : read;
    if (!countsOccurrences(recipe)) return lines;
    return numberLines(lines, (numbered) => listBatchOccurrences(db, batchId, chunk.file_no, numbered));
  };
  // The chunks of the ledger are cut on the copies, which are not there before the mirror is.
  const chunks = isCopied(recipe) && !isMirrored ? wholeFiles(batchId, files) : await listChunks(db, batchId);
  return { batch, files, isMirrored, work: { recipe, chunks, readLines } };
}

/** Each raw file as one chunk; an empty one has none. */
function wholeFiles(batchId: string, files: readonly BatchFile[]): WorkChunk[] {
  const filled = files.filter(({ line_count }) => line_count > 0);
  return filled.map(({ file_no, source_file, compression, format, header, size, line_count }) => ({
    ...{ chunk_id: 0, batch_id: batchId, chunk_no: file_no, file_no, source_file, compression, format, header },
    ...{ byte_start: 0, byte_end: size, first_line: 1, line_count },
  }));
}
