import type { Chunk } from '../db/queries/chunk-get.ts';
import { COPY_FORMAT } from '../domain/format-name.ts';
import { decompress } from '../formats/compression.ts';
import { createRecordScanner } from '../formats/formats.ts';
import type { RawLine } from '../formats/raw-line.ts';
import { readRecords } from '../formats/read-records.ts';
import type { StoredFormat } from '../formats/source-format.ts';
import type { ObjectStore } from '../storage/object-store.ts';

/** The object that holds a chunk's file: the mirror's, or the input's before there is a mirror. */
export interface ChunkObject {
  bucket: string;
  key: string;
  /** The ETag it was pinned with; the mirror needs none, nothing else writes there. */
  ifMatch?: string;
  /** In bytes, where it is known. */
  size?: number;
}

/** The stretch of a file to read: a range of bytes, or the whole of a compressed file. */
export type ChunkRange = Pick<Chunk, keyof StoredFormat | 'compression' | 'byte_start' | 'byte_end' | 'first_line'>;

/**
 * Reads the lines (records) of one chunk as a stream. Lines are numbered from 1 in their file; one that is longer than
 * `maxLineBytes` comes without its bytes.
 *
 * @throws {FatalError} when the object is gone or is not the pinned one.
 */
export async function* readChunk(
  store: ObjectStore,
  object: ChunkObject,
  chunk: ChunkRange,
  options: { maxLineBytes: number; signal: AbortSignal },
): AsyncGenerator<RawLine[]> {
  const { signal } = options;
  // The limit was applied when a copy was made, whose lines may be longer than those they come from.
  const maxLineBytes = chunk.format === COPY_FORMAT ? Number.POSITIVE_INFINITY : options.maxLineBytes;
  const scanner = createRecordScanner(chunk, { firstLine: chunk.first_line, maxLineBytes });
  const body = await store.get(object.bucket, object.key, {
    signal,
    ...(object.ifMatch !== undefined && { ifMatch: object.ifMatch }),
    ...(chunk.compression === 'none'
      ? { range: { start: chunk.byte_start, end: chunk.byte_end } }
      : { size: chunk.byte_end }),
  });
  const abort = () => body.destroy();
  signal.addEventListener('abort', abort, { once: true });
  try {
    yield* readRecords(decompress(body, chunk.compression), scanner);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
