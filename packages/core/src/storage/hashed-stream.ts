import { createHash } from 'node:crypto';
import { pipeline, type Readable, Transform } from 'node:stream';

/** A stream of bytes and the checksum of what has been read of it. */
export interface HashedStream {
  readonly stream: Readable;
  /** sha256 of the bytes read, lower-case hex; call it once, when the stream has been read to its end. */
  sha256(): string;
  /** Bytes read so far. */
  size(): number;
}

/**
 * Passes the bytes of `body` on and hashes them on the way, so that what is checked is what was read. Destroying the
 * stream destroys the body.
 *
 * @param signal ends the reading with its reason, also while the body does not come on.
 */
export function hashedStream(body: Readable, signal: AbortSignal): HashedStream {
  const hash = createHash('sha256');
  let size = 0;
  // Not a generator: one that waits for its source is not told when nobody wants more of it.
  const stream = new Transform({
    transform(block: Buffer, _encoding, done) {
      hash.update(block);
      size += block.length;
      done(null, block);
    },
  });
  // Every error ends up in the stream, which is where the reader meets it.
  stream.on('error', () => undefined);
  pipeline(body, stream, () => undefined);
  const abort = () => stream.destroy(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  stream.once('close', () => signal.removeEventListener('abort', abort));
  if (signal.aborted) abort();
  return { stream, sha256: () => hash.digest('hex'), size: () => size };
}
