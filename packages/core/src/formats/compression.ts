import { PassThrough, pipeline, type Readable, Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { CorruptInputError } from './corrupt-input-error.ts';
import { unzstd } from './zstd.ts';

export type Compression = 'none' | 'gzip' | 'zstd';

/** First bytes that {@link detectCompression} needs. */
export const MAGIC_BYTES = 4;

/** The default of 16 KiB costs more than half of the speed. */
const CHUNK_BYTES = 256 * 1024;

/** Tells how an object is compressed from its first bytes, not from its name. */
export function detectCompression(head: Uint8Array): Compression {
  if (head[0] === 0x1f && head[1] === 0x8b && head[2] === 0x08) return 'gzip';
  return isZstdMagic(head) ? 'zstd' : 'none';
}

/** A data frame or a skippable one may come first (RFC 8878, 3.1.1 and 3.1.2). */
function isZstdMagic(head: Uint8Array): boolean {
  if (head[0] === 0x28 && head[1] === 0xb5) return head[2] === 0x2f && head[3] === 0xfd;
  return ((head[0] ?? 0) & 0xf0) === 0x50 && head[1] === 0x2a && head[2] === 0x4d && head[3] === 0x18;
}

/**
 * The plain bytes of an object; a gzip object may have several members and a zstd object several frames. Errors of the
 * source come through as they are; destroying the result destroys the source.
 *
 * @throws CorruptInputError (as the stream's error) when the compressed data is cut or damaged,
 *   or when anything stands behind its end
 */
export function decompress(source: Readable, compression: Compression): Readable {
  if (compression === 'none') return source;
  if (compression === 'gzip') return gunzip(source);
  const output = new PassThrough();
  // Every error ends up in the output, which is where the reader meets it.
  pipeline(source, unzstd, output, () => undefined);
  // A generator that waits for its source is not told when nobody wants more of it.
  output.once('close', () => source.destroy());
  return output;
}

function gunzip(source: Readable): Readable {
  const inflate = createGunzip({ chunkSize: CHUNK_BYTES });
  let bytesRead = 0;
  const counter = new Transform({
    transform(block: Buffer, _encoding, done) {
      bytesRead += block.length;
      done(null, block);
    },
  });
  const output = new Transform({
    transform: (block: Buffer, _encoding, done) => done(null, block),
    flush: (done) => {
      // At a zero byte behind a member Node stops without a word, whatever comes after it.
      const isWhole = bytesRead === inflate.bytesWritten;
      done(isWhole ? null : new CorruptInputError('there are bytes behind the end of the gzip data'));
    },
    destroy: (error, done) => done(asCorruptInput(error)),
  });
  // Every error ends up in the output, which is where the reader meets it.
  pipeline(source, counter, inflate, output, () => undefined);
  return output;
}

function asCorruptInput(error: Error | null): Error | null {
  const code = error !== null && 'code' in error ? String(error.code) : '';
  if (!code.startsWith('Z_')) return error;
  return new CorruptInputError(`the gzip data is cut or damaged (${code})`, { cause: error });
}
