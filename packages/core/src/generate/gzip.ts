import { gzipSync } from 'node:zlib';

const OS_OFFSET = 9;
const OS_UNKNOWN = 0xff;

/** Gzip without a trace of when (Node writes no time) and on which system it was made. */
export function deterministicGzip(bytes: Buffer): Buffer {
  const compressed = gzipSync(bytes);
  compressed[OS_OFFSET] = OS_UNKNOWN;
  return compressed;
}
