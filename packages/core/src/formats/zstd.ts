import { pipeline, Readable } from 'node:stream';
import { createZstdDecompress } from 'node:zlib';
import { CorruptInputError } from './corrupt-input-error.ts';
import { type FramePiece, ZstdFrameWalker } from './zstd-frames.ts';

const CHUNK_BYTES = 256 * 1024;

/**
 * The plain bytes of all frames of zstd data.
 *
 * @throws CorruptInputError when the data is cut or damaged, is no zstd somewhere, or needs a window of more than 128 MiB
 *   (zstd's `--long` beyond 27) or a dictionary
 */
export async function* unzstd(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const pieces = framePieces(source);
  let first = await pieces.next();
  while (first.done !== true) {
    yield* decodeFrame(first.value, pieces);
    first = await pieces.next();
  }
}

async function* framePieces(source: AsyncIterable<Buffer>): AsyncGenerator<FramePiece> {
  const walker = new ZstdFrameWalker();
  for await (const block of source) yield* walker.walk(block);
  walker.finish();
}

async function* decodeFrame(first: FramePiece, rest: AsyncGenerator<FramePiece>): AsyncGenerator<Buffer> {
  async function* compressed(): AsyncGenerator<Buffer> {
    let piece = first;
    yield piece.bytes;
    while (!piece.isEnd) {
      const next = await rest.next();
      if (next.done === true) return;
      piece = next.value;
      yield piece.bytes;
    }
  }
  const decoder = createZstdDecompress({ chunkSize: CHUNK_BYTES });
  // Every error ends up in the decoder, which is where it is read.
  pipeline(Readable.from(compressed(), { objectMode: false }), decoder, () => undefined);
  try {
    for await (const block of decoder) yield block as Buffer;
  } catch (error) {
    throw asCorruptInput(error);
  }
}

function asCorruptInput(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (!code.startsWith('ZSTD_') && !code.startsWith('Z_')) return error;
  return new CorruptInputError(`the zstd data is cut or damaged (${code})`, { cause: error });
}
