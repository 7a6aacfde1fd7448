import { pipeline, Readable, type Transform } from 'node:stream';
import { createGzip, createZstdCompress } from 'node:zlib';
import type { Runtime } from '@backfill/core/runtime/runtime';
import { benchBlocks } from '../events/bench-events.ts';

const COMPRESSORS: Readonly<Record<string, () => Transform>> = {
  gzip: () => createGzip({ level: 1 }),
  zstd: () => createZstdCompress(),
};

/** Writes generated events into the raw bucket as one object, as a stream. */
export async function putBigObject(
  { store, config }: Runtime,
  key: string,
  { bytes, compression, traceCharacters }: { bytes: number; compression: string; traceCharacters?: number },
): Promise<void> {
  const text = Readable.from(benchBlocks(bytes, traceCharacters), { objectMode: false });
  const compressor = COMPRESSORS[compression]?.();
  // The upload reads the end of the pipeline and meets its errors.
  if (compressor !== undefined) pipeline(text, compressor, () => undefined);
  await store.putStream(config.storage.rawBucket, key, compressor ?? text);
}
