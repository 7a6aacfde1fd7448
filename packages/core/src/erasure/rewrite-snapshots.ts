import { randomUUID } from 'node:crypto';
import { pipeline, Readable } from 'node:stream';
import { createGunzip, createGzip } from 'node:zlib';
import { listNotedSnapshots } from '../db/queries/snapshot-noted-list.ts';
import { splitLines } from '../formats/split-lines.ts';
import { hashedStream } from '../storage/hashed-stream.ts';
import { archiveLayout } from '../storage/layout.ts';
import type { BatchToErase } from './batch-to-erase.ts';
import { type ErasureWork, readObject } from './erasure-work.ts';
import { type Objects, tryObject } from './try-object.ts';

/** Of the snapshots of a publish. */
const GZIP_LEVEL = 1;

/** A snapshot as it was written anew. */
interface RewrittenSnapshot {
  key: string;
  sha256: string;
  bytes: number;
  rows: number;
  /** Rows that went, and the ids of their events. */
  events: string[];
}

export interface SnapshotMove extends RewrittenSnapshot {
  publishId: number;
  was: string;
}

/** Writes a snapshot anew without the person's rows; undefined when it has none of them. */
async function rewriteSnapshot(
  work: ErasureWork,
  batchId: string,
  key: string,
  isPerson: (subjectId: string) => boolean,
): Promise<RewrittenSnapshot | undefined> {
  const { store, config, signal } = work;
  const { archiveBucket } = config.storage;
  const gone: string[] = [];
  let rows = 0;
  const source = await store.get(archiveBucket, key, { signal });
  async function* kept(): AsyncGenerator<Buffer> {
    const text = pipeline(source, createGunzip(), () => undefined);
    for await (const lines of splitLines(text, { firstLine: 1, maxLineBytes: Number.POSITIVE_INFINITY })) {
      const out: Buffer[] = [];
      for (const { bytes: line } of lines) {
        if (line === undefined) continue;
        const { subject_id: subjectId, event_id: eventId } = JSON.parse(line.toString('utf8'));
        if (typeof subjectId === 'string' && isPerson(subjectId)) gone.push(eventId);
        else {
          rows += 1;
          out.push(line, Buffer.from('\n'));
        }
      }
      if (out.length > 0) yield Buffer.concat(out);
    }
  }
  const name = key.slice(archiveLayout.snapshotsPrefix(batchId).length);
  const to = archiveLayout.snapshot(batchId, `${name.split('-', 1)[0]}-${randomUUID().slice(0, 8)}.ndjson.gz`);
  const packed = pipeline(
    Readable.from(kept(), { objectMode: false }),
    createGzip({ level: GZIP_LEVEL }),
    () => undefined,
  );
  const out = hashedStream(packed, signal);
  try {
    await store.putStream(archiveBucket, to, out.stream, signal);
  } finally {
    out.stream.destroy();
    source.destroy();
  }
  if (gone.length === 0) {
    await store.remove(archiveBucket, to);
    return undefined;
  }
  return { key: to, sha256: out.sha256(), bytes: out.size(), rows, events: gone };
}

/** Writes a snapshot anew, with what describes it; undefined when it has nothing of the person. */
async function prepareSnapshot(
  work: ErasureWork,
  batchId: string,
  key: string,
  people: ReadonlySet<string>,
): Promise<{ written: RewrittenSnapshot; moves: Objects['moves'] } | undefined> {
  const { store, config, signal } = work;
  const { archiveBucket } = config.storage;
  const written = await rewriteSnapshot(work, batchId, key, (subjectId) => people.has(subjectId));
  if (written === undefined) return undefined;
  if (!(await store.exists(archiveBucket, `${key}.json`, signal))) {
    return { written, moves: [{ from: key, to: null }] };
  }
  const text = JSON.parse(String(await readObject(work, archiveBucket, `${key}.json`)));
  const { sha256, bytes, rows } = written;
  const path = `s3://${archiveBucket}/${written.key}`;
  const said = Buffer.from(`${JSON.stringify({ ...text, path, sha256, bytes, rows, erased_from: text.sha256 })}\n`);
  await store.put(archiveBucket, `${written.key}.json`, said, 'application/json');
  return { written, moves: [`${key}.json`, key].map((from) => ({ from, to: null })) };
}

/** Writes the batch's snapshots anew, each with what describes it. */
export async function rewriteSnapshots(
  work: ErasureWork,
  { batch: { batch_id: batchId }, pseudonyms }: BatchToErase,
  objects: Objects,
): Promise<SnapshotMove[]> {
  const { pool, store, config, signal } = work;
  const { archiveBucket } = config.storage;
  const root = `s3://${archiveBucket}/`;
  const people = new Set(pseudonyms);
  const written: SnapshotMove[] = [];
  for (const { publish_id: publishId, snapshot_path: was } of await listNotedSnapshots(pool, batchId)) {
    const key = was.slice(root.length);
    // Its time may be over.
    if (!was.startsWith(root) || !(await store.exists(archiveBucket, key, signal))) continue;
    const snapshot = await tryObject(work, objects, () => prepareSnapshot(work, batchId, key, people));
    if (snapshot === undefined) continue;
    objects.moves.push(...snapshot.moves);
    written.push({ ...snapshot.written, publishId, was });
  }
  return written;
}
