import { Readable } from 'node:stream';
import { FatalError } from '../errors.ts';
import { type Compression, decompress } from '../formats/compression.ts';
import { CorruptInputError } from '../formats/corrupt-input-error.ts';
import { createRecordScanner } from '../formats/formats.ts';
import type { RawLine } from '../formats/raw-line.ts';
import { readRecords } from '../formats/read-records.ts';
import type { FileFormat } from '../formats/source-format.ts';
import type { LineCleaner } from '../recipe/compile-cleaner.ts';
import { writeCopyLine } from '../recipe/copy-line.ts';
import { hashedStream } from '../storage/hashed-stream.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { ChunkObject } from './read-chunk.ts';

/** A pseudonymised copy in the making. */
export interface FileCopy {
  /** The copy's bytes. To be read to its end or destroyed. */
  readonly stream: Readable;
  /** What was read and what it gave; call it once, when the stream has been read to its end. */
  measure(): { rawSha256: string; size: number; sha256: string };
}

/**
 * Makes the pseudonymised copy of a pinned file: uncompressed, one line per raw record, what {@link LineCleaner} leaves
 * of it. A stream in bounded memory, as fast as it is read; the same file and recipe give the same bytes.
 *
 * @param object the raw object
 * @throws {FatalError} (from the stream too) when the object is gone or is not the pinned one.
 */
export async function copyFile(
  store: ObjectStore,
  object: ChunkObject,
  file: FileFormat & { compression: Compression },
  clean: LineCleaner,
  { maxLineBytes, signal }: { maxLineBytes: number; signal: AbortSignal },
): Promise<FileCopy> {
  const body = await store.get(object.bucket, object.key, { ...object, signal });
  const raw = hashedStream(body, signal);
  const scanner = createRecordScanner(file, { firstLine: 1, maxLineBytes });
  async function* copied(): AsyncGenerator<Buffer> {
    try {
      yield* copyLines(readRecords(decompress(raw.stream, file.compression), scanner), clean);
    } catch (error) {
      if (!(error instanceof CorruptInputError)) throw error;
      throw new FatalError(`s3://${object.bucket}/${object.key} was changed after it was pinned, and is damaged now`, {
        cause: error,
      });
    }
  }
  const copy = hashedStream(Readable.from(copied(), { objectMode: false }), signal);
  const abort = () => body.destroy(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  // Also when nobody has begun to read.
  copy.stream.once('close', () => {
    signal.removeEventListener('abort', abort);
    body.destroy();
  });
  return {
    stream: copy.stream,
    measure: () => ({ rawSha256: raw.sha256(), size: copy.size(), sha256: copy.sha256() }),
  };
}

async function* copyLines(blocks: AsyncIterable<RawLine[]>, clean: LineCleaner): AsyncGenerator<Buffer> {
  for await (const lines of blocks) {
    yield Buffer.from(lines.map((line) => `${writeCopyLine(clean(line))}\n`).join(''));
  }
}
