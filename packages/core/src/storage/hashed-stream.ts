import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';

/** A stream of bytes and the checksum of what has been read of it. */
export interface HashedStream {
  readonly stream: Readable;
  /** sha256 of the bytes read, lower-case hex; call it once, when the stream has been read to its end. */
  sha256(): string;
  /** Bytes read so far. */
  size(): number;
}

/**
 * Passes the bytes of `body` on and hashes them on the way, so that what is checked is what was read.
 *
 * @param signal ends the reading, between blocks.
 */
export function hashedStream(body: Readable, signal: AbortSignal): HashedStream {
  const hash = createHash('sha256');
  let size = 0;
  async function* measured(): AsyncGenerator<Buffer> {
    for await (const block of body as AsyncIterable<Buffer>) {
      signal.throwIfAborted();
      hash.update(block);
      size += block.length;
      yield block;
    }
  }
  return {
    stream: Readable.from(measured(), { objectMode: false }),
    sha256: () => hash.digest('hex'),
    size: () => size,
  };
}
