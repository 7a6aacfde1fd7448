import { pipeline, Readable } from 'node:stream';
import { createGzip, createZstdCompress } from 'node:zlib';
import type { MirrorObject } from '../db/queries/mirror-object-list.ts';
import { BackfillError, DeferError } from '../errors.ts';
import { type Compression, decompress } from '../formats/compression.ts';
import { createRecordScanner } from '../formats/formats.ts';
import type { RawLine } from '../formats/raw-line.ts';
import { readRecords } from '../formats/read-records.ts';
import { hashedStream } from '../storage/hashed-stream.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { type EmptiedFile, emptyLines } from './empty-lines.ts';

/** Longer lines are not looked into. */
const MOST_LINE_BYTES = 16 * 1024 * 1024;
const CHANGED_DELAY_MS = 1_000;

/** A place in the object store. */
export interface ObjectPlace {
  store: ObjectStore;
  bucket: string;
  key: string;
}

const open = ({ store, bucket, key }: ObjectPlace, size: number, signal: AbortSignal) =>
  store.get(bucket, key, { size, signal });

/** Reads the lines of a mirrored object from its beginning, as a stream. */
export async function* readMirrorFile(
  place: ObjectPlace,
  file: MirrorObject,
  signal: AbortSignal,
): AsyncGenerator<RawLine[]> {
  const scanner = createRecordScanner(file, { firstLine: 1, maxLineBytes: MOST_LINE_BYTES });
  const body = await open(place, file.size, signal);
  for await (const lines of readRecords(decompress(body, file.compression), scanner)) {
    signal.throwIfAborted();
    yield lines;
  }
}

/** What became of a mirrored object. */
export interface RewrittenFile {
  /** As it is stored. */
  size: number;
  sha256: string;
  /** First line of a chunk → the byte of the text that it begins with. */
  starts: ReadonlyMap<number, number>;
  /** Bytes of the text. */
  textBytes: number;
}

function compress(text: Readable, compression: Compression): Readable {
  if (compression === 'none') return text;
  const compressor = compression === 'gzip' ? createGzip() : createZstdCompress();
  // Every error ends up in the compressor, which is where the reader meets it.
  pipeline(text, compressor, () => undefined);
  return compressor;
}

/**
 * Writes a mirrored object anew with some lines emptied, beside the one that is there, and reads it back.
 *
 * @param chunkStarts first lines of the file's chunks
 * @throws {BackfillError} when it is not what the ledger says
 */
export async function rewriteMirrorFile(
  from: ObjectPlace,
  to: string,
  file: MirrorObject,
  { erased, chunkStarts, signal }: { erased: ReadonlySet<number>; chunkStarts: number[]; signal: AbortSignal },
): Promise<RewrittenFile> {
  const { store, bucket } = from;
  const options = { firstLine: 1, maxLineBytes: 0 };
  const scanners = { scanner: createRecordScanner(file, options), again: createRecordScanner(file, options) };
  const written: EmptiedFile = { size: 0, lines: 0, starts: new Map(chunkStarts.map((line) => [line, 0])) };
  const body = hashedStream(await open(from, file.size, signal), signal);
  const text = emptyLines(
    decompress(body.stream, file.compression),
    { ...scanners, format: file.format },
    (lineNo) => erased.has(lineNo),
    written,
  );
  const stream = compress(Readable.from(text, { objectMode: false }), file.compression);
  const out = hashedStream(stream, signal);
  try {
    await store.putStream(bucket, to, out.stream, signal);
  } finally {
    out.stream.destroy();
    body.stream.destroy();
  }
  // What somebody has changed must not get a checksum of its own.
  if (body.sha256() !== file.sha256)
    throw new BackfillError(`the mirror of ${file.source_file} is not what was mirrored`);
  return { size: out.size(), sha256: out.sha256(), starts: written.starts, textBytes: written.size };
}

/**
 * Has one object take the place of another, and goes on where a crash interrupted it. Under the store's own condition that
 * the other one is still what was found there: a process that was frozen meanwhile puts nothing old in the place of what others
 * have written since.
 *
 * @throws {DeferError} when the other one has changed meanwhile
 */
export async function moveObject(from: ObjectPlace, to: string, signal: AbortSignal): Promise<void> {
  const { store, bucket, key } = from;
  const was = await store.etagOf(bucket, to, signal);
  // It was done already.
  if (!(await store.exists(bucket, key, signal))) return;
  const body = await store.get(bucket, key, { signal });
  let isMoved: boolean;
  try {
    isMoved = await (was === undefined
      ? store.putStreamOnce(bucket, to, body, signal)
      : store.replaceStream(bucket, to, body, was, signal));
  } finally {
    body.destroy();
  }
  if (!isMoved) throw new DeferError(`s3://${bucket}/${to} has changed while it was replaced`, CHANGED_DELAY_MS);
  await store.remove(bucket, key);
}
