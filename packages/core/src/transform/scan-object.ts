import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { FatalError } from '../errors.ts';
import { type Compression, decompress, detectCompression } from '../formats/compression.ts';
import { CorruptInputError } from '../formats/corrupt-input-error.ts';
import { ChunkScanner, type LineRange } from './chunk-scanner.ts';

export interface ScannedObject {
  sha256: string;
  /** Bytes as stored. */
  size: number;
  compression: Compression;
  lines: number;
  /** Ranges of the stored bytes: several for plain text, one for a compressed object, none for an empty one. */
  ranges: LineRange[];
}

/** Bytes that tell the compression. */
const MAGIC_BYTES = 3;

/** The first bytes of a stream, and the whole stream, first bytes included. */
async function peek(source: AsyncIterable<Buffer>): Promise<{ head: Buffer; whole: AsyncGenerator<Buffer> }> {
  const blocks = source[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  while (head.length < MAGIC_BYTES) {
    const next = await blocks.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  async function* whole(): AsyncGenerator<Buffer> {
    if (head.length > 0) yield head;
    yield* { [Symbol.asyncIterator]: () => blocks };
  }
  return { head, whole: whole() };
}

/**
 * Reads an object once, from beginning to end, in bounded memory: checksum, line count, chunk boundaries.
 *
 * @param name how errors name the object.
 * @throws {FatalError} when the object is compressed and cut or damaged, naming the last whole line.
 */
export async function scanObject(
  name: string,
  body: Readable,
  options: { chunkBytes: number; signal: AbortSignal },
): Promise<ScannedObject> {
  const sha256 = createHash('sha256');
  let size = 0;
  async function* measured(): AsyncGenerator<Buffer> {
    for await (const block of body as AsyncIterable<Buffer>) {
      options.signal.throwIfAborted();
      sha256.update(block);
      size += block.length;
      yield block;
    }
  }
  const { head, whole } = await peek(measured());
  const compression = detectCompression(head);
  const scanner = new ChunkScanner(compression === 'none' ? options.chunkBytes : Number.POSITIVE_INFINITY);
  try {
    for await (const block of decompress(Readable.from(whole, { objectMode: false }), compression)) {
      scanner.feed(block as Buffer);
    }
  } catch (error) {
    if (!(error instanceof CorruptInputError)) throw error;
    throw new FatalError(
      `${name} cannot be read to its end: its gzip data is cut or damaged after line ${scanner.lines}. ` +
        'Upload it again whole, or take it away, then resume',
      { cause: error },
    );
  } finally {
    body.destroy();
  }
  const { lines } = scanner.finish();
  const asOne = lines > 0 ? [{ byteStart: 0, byteEnd: size, firstLine: 1, lineCount: lines }] : [];
  return {
    sha256: sha256.digest('hex'),
    size,
    compression,
    lines,
    ranges: compression === 'none' ? scanner.ranges : asOne,
  };
}
