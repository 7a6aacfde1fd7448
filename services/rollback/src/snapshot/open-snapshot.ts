import { pipeline, type Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { SnapshotToLoad } from '@backfill/core/db/queries/snapshot-load';
import { FatalError } from '@backfill/core/errors';
import type { Runtime } from '@backfill/core/runtime/runtime';
import { type HashedStream, hashedStream } from '@backfill/core/storage/hashed-stream';

/** Several times faster than with the default. */
const GUNZIP_BLOCK_BYTES = 256 * 1024;

/** A snapshot of a batch's window in the archive, with what the publish noted of it. */
export interface StoredSnapshot {
  /** Reads all of it. @throws {FatalError} when it is not what the publish wrote. */
  verify(): Promise<void>;
  /** Reads its lines. @throws {FatalError} when they are not what the publish wrote, after `use` has had them. */
  read(use: (lines: Readable) => Promise<number>): Promise<void>;
}

/** @throws {FatalError} when the snapshot was not written into the archive that this service has. */
export function openSnapshot(
  { store, config }: Pick<Runtime, 'store' | 'config'>,
  batchId: string,
  { path, sha256, bytes, rows }: SnapshotToLoad,
  signal: AbortSignal,
): StoredSnapshot {
  const { archiveBucket } = config.storage;
  const root = `s3://${archiveBucket}/`;
  const refuse = (what: string, cause?: unknown): FatalError =>
    new FatalError(
      `the snapshot ${path} ${what}. Put back the object that was stored there (sha256 ${sha256}), and the rollback ` +
        `goes on; or ./backfill rollback ${batchId} --mode tombstone takes the batch back without it`,
      { cause },
    );
  if (!path.startsWith(root)) throw refuse(`is not in the archive bucket ${archiveBucket}`);

  async function open(): Promise<HashedStream> {
    try {
      return hashedStream(await store.get(archiveBucket, path.slice(root.length), { size: bytes, signal }), signal);
    } catch (error) {
      throw error instanceof FatalError ? refuse('cannot be read', error) : error;
    }
  }
  const check = (read: HashedStream) => {
    if (read.sha256() !== sha256 || read.size() !== bytes) throw refuse('is not what the publish has written there');
  };
  return {
    async verify() {
      const stored = await open();
      stored.stream.resume();
      await finished(stored.stream);
      check(stored);
    },
    async read(use) {
      const stored = await open();
      const lines = pipeline(stored.stream, createGunzip({ chunkSize: GUNZIP_BLOCK_BYTES }), () => undefined);
      try {
        const used = await use(lines);
        check(stored);
        if (used !== rows) throw refuse(`has ${used} rows instead of ${rows}`);
      } finally {
        lines.destroy();
      }
    },
  };
}
