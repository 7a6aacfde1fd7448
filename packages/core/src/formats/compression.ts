import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { CorruptInputError } from './corrupt-input-error.ts';

export type Compression = 'none' | 'gzip';

/** The default of 16 KiB costs more than half of the speed. */
const CHUNK_BYTES = 256 * 1024;

/** Tells how an object is compressed from its first bytes (three are enough), not from its name. */
export function detectCompression(head: Uint8Array): Compression {
  return head[0] === 0x1f && head[1] === 0x8b && head[2] === 0x08 ? 'gzip' : 'none';
}

/**
 * The plain bytes of an object. Errors of the source come through as they are; destroying the
 * result destroys the source.
 *
 * @throws CorruptInputError (as the stream's error) when the compressed data is cut or damaged
 */
export function decompress(source: Readable, compression: Compression): Readable {
  return compression === 'none' ? source : Readable.from(gunzip(source), { objectMode: false });
}

async function* gunzip(source: Readable): AsyncGenerator<Buffer> {
  const inflate = createGunzip({ chunkSize: CHUNK_BYTES });
  // The pipeline's own error is the one that the loop below throws.
  pipeline(source, inflate, () => undefined);
  try {
    yield* inflate as AsyncIterable<Buffer>;
  } catch (error) {
    throw asCorruptInput(error);
  }
}

function asCorruptInput(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (!code.startsWith('Z_')) return error;
  return new CorruptInputError(`the gzip data is cut or damaged (${code})`, { cause: error });
}
