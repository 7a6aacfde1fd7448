import { hash, randomUUID } from 'node:crypto';
import { pipeline, Readable } from 'node:stream';
import { createGunzip, createGzip } from 'node:zlib';
import { copyTextField } from '../db/copy-text.ts';
import { IMPORT_PART_COLUMNS } from '../db/import-part-row.ts';
import { splitLines } from '../formats/split-lines.ts';
import { Samples, type SamplesReference } from '../report/samples.ts';
import { hashedStream } from '../storage/hashed-stream.ts';
import { archiveLayout } from '../storage/layout.ts';
import { type ErasureWork, readObject } from './erasure-work.ts';

const SUBJECT_COLUMN = IMPORT_PART_COLUMNS.indexOf('subject_id');
const LF = 0x0a;
/** Of the snapshots of a publish. */
const GZIP_LEVEL = 1;

/** A part's object without the person's rows. */
export interface RewrittenPart {
  /** Rows that went. */
  rows: number;
  /** Null when nothing else is left. */
  object: { key: string; sha256: string; bytes: number } | null;
}

/** Writes a part's object anew without the person's rows; undefined when it has none of them. A part fits into memory. */
export async function rewritePart(
  work: ErasureWork,
  batchId: string,
  key: string,
  people: readonly string[],
): Promise<RewrittenPart | undefined> {
  const { store, config, signal } = work;
  const { archiveBucket } = config.storage;
  const body = await readObject(work, archiveBucket, key);
  const subjects = new Set(people.map(copyTextField));
  const kept: Buffer[] = [];
  let rows = 0;
  for (let start = 0; start < body.length; ) {
    const end = body.indexOf(LF, start) + 1 || body.length;
    const row = body.subarray(start, end);
    const columns = row.toString('utf8').split('\t', SUBJECT_COLUMN + 1);
    if (subjects.has(columns[SUBJECT_COLUMN] ?? '')) rows += 1;
    else kept.push(row);
    start = end;
  }
  if (rows === 0) return undefined;
  if (kept.length === 0) return { rows, object: null };
  const bytes = Buffer.concat(kept);
  const sha256 = hash('sha256', bytes, 'hex');
  const to = archiveLayout.part(batchId, sha256);
  await store.put(archiveBucket, to, bytes, 'text/plain', signal);
  return { rows, object: { key: to, sha256, bytes: bytes.length } };
}

/** A snapshot as it was written anew. */
export interface RewrittenSnapshot {
  key: string;
  sha256: string;
  bytes: number;
  rows: number;
  /** Rows that went, and the ids of their events. */
  events: string[];
}

/** Writes a snapshot anew without the person's rows; undefined when it has none of them. */
export async function rewriteSnapshot(
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

/** Writes the samples of a verification anew without the person's; undefined when there are none of them. */
export async function rewriteSamples(
  work: ErasureWork,
  batchId: string,
  key: string,
  isPerson: (subjectId: string) => boolean,
): Promise<{ reference: SamplesReference; samples: number } | undefined> {
  const { store, config, signal } = work;
  const { archiveBucket } = config.storage;
  const content = Samples.parse(JSON.parse(String(await readObject(work, archiveBucket, key))));
  const samples = content.samples.filter(({ row }) => !(row.subject_id !== null && isPerson(row.subject_id)));
  if (samples.length === content.samples.length) return undefined;
  const bytes = Buffer.from(`${JSON.stringify({ ...content, samples }, null, 2)}\n`);
  const sha256 = hash('sha256', bytes, 'hex');
  const to = archiveLayout.samples(batchId, sha256);
  await store.put(archiveBucket, to, bytes, 'application/json', signal);
  return { reference: { events: samples.length, key: to, sha256 }, samples: content.samples.length - samples.length };
}
