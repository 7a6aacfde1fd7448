import { hash } from 'node:crypto';
import { copyTextField } from '../db/copy-text.ts';
import { IMPORT_PART_COLUMNS } from '../db/import-part-row.ts';
import { listPartObjects } from '../db/queries/part-object-list.ts';
import type { LinePlace } from '../db/queries/person-line-list.ts';
import { archiveLayout } from '../storage/layout.ts';
import type { BatchToErase } from './batch-to-erase.ts';
import { type ErasureWork, readObject } from './erasure-work.ts';
import type { Objects } from './try-object.ts';

const SUBJECT_COLUMN = IMPORT_PART_COLUMNS.indexOf('subject_id');
const LF = 0x0a;

/** A part's object without the person's rows. */
export interface RewrittenPart {
  /** Rows that went. */
  rows: number;
  /** Null when nothing else is left. */
  object: { key: string; sha256: string; bytes: number } | null;
}

/** Writes a part's object anew without the person's rows; undefined when it has none of them. A part fits into memory. */
async function rewritePart(
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

/** Writes the parts anew that have events of the person, beside the old ones. @returns by the old object */
export async function rewriteParts(
  work: ErasureWork,
  { batch: { batch_id: batchId }, pseudonyms }: BatchToErase,
  lines: readonly LinePlace[],
  { moves }: Objects,
): Promise<Map<string, RewrittenPart>> {
  const { pool, store, config, signal } = work;
  const written = new Map<string, RewrittenPart>();
  for (const key of await listPartObjects(pool, batchId, lines)) {
    if (!(await store.exists(config.storage.archiveBucket, key, signal))) continue;
    const part = await rewritePart(work, batchId, key, pseudonyms);
    if (part === undefined) continue;
    written.set(key, part);
    moves.push({ from: key, to: null });
  }
  return written;
}
