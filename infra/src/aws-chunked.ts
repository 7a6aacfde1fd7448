import { Transform, type TransformCallback } from 'node:stream';

const MAX_HEADER_BYTES = 8 * 1024;

/** True when a request's body is framed in chunks of the AWS kind, as SDKs send streams. */
export function isAwsChunked(headers: Readonly<Record<string, string | string[] | undefined>>): boolean {
  const digest = headers['x-amz-content-sha256'];
  return typeof digest === 'string' && digest.startsWith('STREAMING-');
}

/**
 * Takes the framing off an `aws-chunked` body: `size[;extensions]\r\n data \r\n …  0\r\n trailers`.
 * Signatures and trailing checksums are dropped unread. Errors when the body ends early or is
 * not framed.
 */
export class AwsChunkedDecoder extends Transform {
  #pending: Buffer = Buffer.alloc(0);
  /** Bytes of the current chunk still to come, or what comes next. */
  #left = 0;
  #expect: 'header' | 'data' | 'chunk end' | 'trailers' = 'header';

  override _transform(bytes: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    try {
      while (this.#step()) {
        // Each step takes one piece of the framing off the pending bytes.
      }
      done();
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
    }
  }

  override _flush(done: TransformCallback): void {
    done(this.#expect === 'trailers' ? null : new Error('the chunked body ends early'));
  }

  /** False when more bytes are needed. */
  #step(): boolean {
    if (this.#expect === 'header') return this.#readHeader();
    if (this.#expect === 'data') return this.#readData();
    if (this.#expect === 'chunk end') return this.#readChunkEnd();
    this.#pending = Buffer.alloc(0);
    return false;
  }

  #readHeader(): boolean {
    const end = this.#pending.indexOf('\r\n');
    if (end === -1) {
      if (this.#pending.length > MAX_HEADER_BYTES) throw new Error('the body is not framed in chunks');
      return false;
    }
    const size = /^([0-9a-f]{1,12})(;|$)/i.exec(this.#pending.toString('latin1', 0, end))?.[1];
    if (size === undefined) throw new Error('the body is not framed in chunks');
    this.#pending = this.#pending.subarray(end + 2);
    this.#left = Number.parseInt(size, 16);
    this.#expect = this.#left === 0 ? 'trailers' : 'data';
    return true;
  }

  #readData(): boolean {
    if (this.#pending.length === 0) return false;
    const piece = this.#pending.subarray(0, this.#left);
    this.#pending = this.#pending.subarray(piece.length);
    this.#left -= piece.length;
    if (this.#left === 0) this.#expect = 'chunk end';
    this.push(piece);
    return true;
  }

  #readChunkEnd(): boolean {
    if (this.#pending.length < 2) return false;
    if (this.#pending.toString('latin1', 0, 2) !== '\r\n') throw new Error('a chunk is longer than it says');
    this.#pending = this.#pending.subarray(2);
    this.#expect = 'header';
    return true;
  }
}
