import { hash } from 'node:crypto';
import { crashPoint } from '../crash-point.ts';
import type { Client, Queryable } from '../db/pool.ts';
import type { BatchRow } from '../db/queries/batch-get.ts';
import { listChunks } from '../db/queries/chunk-list.ts';
import {
  type AmendedFile,
  amendFiles,
  amendGateDetail,
  amendPart,
  amendRollbackProofs,
  amendSnapshot,
  collectErased,
  type ErasedLine,
  eraseBatchRows,
  type GateDetail,
  type LinePlace,
  listGateDetails,
  listLinesOfPerson,
  listNotedSnapshots,
  listPartObjects,
  listPartsToAmend,
  recordErased,
  remeasureWhenResumed,
  unbookLiveRows,
} from '../db/queries/erase-batch.ts';
import { insertErasureObjects } from '../db/queries/erasure-objects.ts';
import { countErased, markErasureBatch } from '../db/queries/erasures.ts';
import { listFiles } from '../db/queries/file-list.ts';
import { listMirrorObjects, type MirrorObject } from '../db/queries/mirror-object-list.ts';
import { getPlan } from '../db/queries/plan-get.ts';
import { deleteRecounts } from '../db/queries/recounts.ts';
import { withTransaction } from '../db/transaction.ts';
import { changeStatus, enqueueOpenWork } from '../dispatch/change-status.ts';
import { isJsonObject } from '../domain/json.ts';
import { StaleWorkError } from '../errors.ts';
import { type MirrorManifest, nextManifest } from '../plan/mirror-manifest.ts';
import { SamplesReference } from '../report/samples.ts';
import { archiveLayout, MANIFEST_NAME } from '../storage/layout.ts';
import { amendPartCounts } from './amend-part-counts.ts';
import {
  type RewrittenPart,
  type RewrittenSnapshot,
  rewritePart,
  rewriteSamples,
  rewriteSnapshot,
} from './derived-objects.ts';
import { type ErasureWork, readObject } from './erasure-work.ts';
import { finishErasureObjects } from './finish-objects.ts';
import { forgetIds } from './forget-ids.ts';
import { isPassing } from './is-passing.ts';
import { rewriteMirrorFile } from './mirror-file.ts';
import { findErasedLines } from './scan-batch.ts';

const ACTOR = 'erasure';

/** Which batch, and for whom. */
export interface BatchToErase {
  batch: BatchRow;
  erasureId: number;
  pseudonyms: readonly string[];
  /**
   * Holds the batch as it was found until the transaction ends.
   *
   * @throws {StaleWorkError} when it has moved on
   */
  hold(client: Client): Promise<void>;
}

/** What takes the place of what, when the transaction is committed; and what is only to go. */
interface Objects {
  moves: { from: string; to: string | null }[];
  /** Why some could not be read, or written anew: they stay as they are, and hold nothing else up. */
  failures: unknown[];
}

/** @returns undefined, and notes why, when an object cannot be prepared. @throws what goes away by itself */
async function tryObject<T>(
  { signal }: ErasureWork,
  { failures }: Objects,
  prepare: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await prepare();
  } catch (error) {
    signal.throwIfAborted();
    if (isPassing(error)) throw error;
    failures.push(error);
    return undefined;
  }
}

/** Lists every object of a batch in the archive that may hold something of people, but for the reports' own. */
async function* listObjects({ store, config }: ErasureWork, batchId: string) {
  const { archiveBucket } = config.storage;
  const prefixes = {
    mirror: archiveLayout.mirrorPrefix(batchId),
    part: archiveLayout.partsPrefix(batchId),
    snapshot: archiveLayout.snapshotsPrefix(batchId),
    samples: archiveLayout.samplesPrefix(batchId),
    erasing: archiveLayout.erasingPrefix(batchId),
  };
  for (const [kind, prefix] of Object.entries(prefixes) as [keyof typeof prefixes, string][]) {
    for await (const { key } of store.list(archiveBucket, prefix)) yield { kind, key, name: key.slice(prefix.length) };
  }
}

/** Objects that no ledger knows of: left by a crash, or of an attempt before. Nobody reads them, and nobody books them. */
async function findStrays(work: ErasureWork, batchId: string): Promise<{ strays: string[]; samples: string[] }> {
  const { pool, config } = work;
  const files = new Set(
    (await listFiles(pool, batchId)).filter((f) => f.mirrored_at !== null).map((f) => f.source_file),
  );
  const root = `s3://${config.storage.archiveBucket}/`;
  const noted = (await listNotedSnapshots(pool, batchId)).map((one) => one.snapshot_path.slice(root.length));
  const known = new Set([...(await listPartObjects(pool, batchId)), ...noted, ...noted.map((key) => `${key}.json`)]);
  const strays: string[] = [];
  const samples: string[] = [];
  for await (const { kind, key, name } of listObjects(work, batchId)) {
    if (kind === 'samples') samples.push(key);
    else if (kind === 'mirror') {
      if (!files.has(name) && !/^manifest(?:-\d+)?\.json$/.test(name)) strays.push(key);
    } else if (!known.has(key)) strays.push(key);
  }
  return { strays, samples };
}

/** Finds the lines of the batch's mirror that are to be emptied. */
async function scanMirror(
  work: ErasureWork,
  { batch, erasureId }: BatchToErase,
  files: readonly MirrorObject[],
  ledger: readonly LinePlace[],
  objects: Objects,
): Promise<ErasedLine[]> {
  const plan = await getPlan(work.pool, batch.batch_id);
  if (plan === undefined) return [];
  const found: ErasedLine[] = [];
  for (const file of files) {
    const known = new Map(
      ledger.filter((line) => line.file_no === file.file_no).map((line) => [line.line_no, erasureId]),
    );
    const place = { batchId: batch.batch_id, recipe: plan.recipe, file };
    const ofFile = await tryObject(work, objects, () => findErasedLines(work, place, known));
    for (const line of ofFile ?? []) found.push(line);
  }
  return found;
}

/** Writes the mirror's files anew beside the old ones, and what is to be said of them. */
async function rewriteMirror(
  work: ErasureWork,
  { batch }: BatchToErase,
  files: readonly MirrorObject[],
  lines: readonly ErasedLine[],
  objects: Objects,
): Promise<AmendedFile[]> {
  const { pool, store, config, signal } = work;
  const { batch_id: batchId } = batch;
  const chunks = await listChunks(pool, batchId);
  const amended: AmendedFile[] = [];
  for (const file of files) {
    const erased = new Set(lines.filter((line) => line.file_no === file.file_no).map((line) => line.line_no));
    if (erased.size === 0) continue;
    const ofFile = chunks.filter((chunk) => chunk.file_no === file.file_no);
    const from = {
      store,
      bucket: config.storage.archiveBucket,
      key: archiveLayout.mirrorObject(batchId, file.source_file),
    };
    const to = archiveLayout.erasing(batchId, String(file.file_no));
    const chunkStarts = ofFile.map((chunk) => chunk.first_line);
    const options = { erased, chunkStarts, signal };
    const written = await tryObject(work, objects, () => rewriteMirrorFile(from, to, file, options));
    if (written === undefined) continue;
    const { size, sha256, starts, textBytes } = written;
    amended.push({
      ...{ file_no: file.file_no, size, sha256 },
      // A compressed file is one chunk of all of its bytes.
      chunks: ofFile.map(({ chunk_id }, index) => ({
        chunk_id,
        byte_start: file.compression === 'none' ? (starts.get(chunkStarts[index] ?? 0) ?? 0) : 0,
        byte_end: file.compression === 'none' ? (starts.get(chunkStarts[index + 1] ?? 0) ?? textBytes) : size,
      })),
    });
    objects.moves.push({ from: to, to: from.key });
  }
  return amended;
}

/** Writes the manifest that names the one before it as its parent. */
async function rewriteManifest(
  work: ErasureWork,
  { batch: { batch_id: batchId } }: BatchToErase,
  {
    files,
    amended,
    lines,
  }: { files: readonly MirrorObject[]; amended: readonly AmendedFile[]; lines: readonly ErasedLine[] },
  { moves }: Objects,
): Promise<void> {
  const { pool, store, config, signal } = work;
  const { archiveBucket } = config.storage;
  const key = archiveLayout.manifest(batchId);
  if (amended.length === 0 || !(await store.exists(archiveBucket, key, signal))) return;
  const { rows } = await pool.query<{ file_no: number; n: number }>(
    'select file_no, count(*) as n from analytics.backfill_erased_lines where batch_id = $1 group by file_no',
    [batchId],
  );
  const before = new Map(rows.map(({ file_no, n }) => [file_no, n]));
  const erased = new Map(
    amended.map(({ file_no, size, sha256 }) => [
      files.find((file) => file.file_no === file_no)?.source_file ?? '',
      {
        ...{ size, sha256 },
        erasedLines: (before.get(file_no) ?? 0) + lines.filter((line) => line.file_no === file_no).length,
      },
    ]),
  );
  const bytes = await readObject(work, archiveBucket, key);
  const manifest = JSON.parse(bytes.toString('utf8')) as MirrorManifest;
  const parent = archiveLayout.oldManifest(batchId, manifest.manifest_version ?? 1);
  await store.put(archiveBucket, parent, bytes, 'application/json', signal);
  const sha256 = hash('sha256', bytes, 'hex');
  const next = nextManifest(
    { manifest, key: parent.slice(archiveLayout.mirrorPrefix(batchId).length), sha256 },
    erased,
  );
  const to = archiveLayout.erasing(batchId, MANIFEST_NAME);
  await store.put(archiveBucket, to, Buffer.from(`${JSON.stringify(next, null, 2)}\n`), 'application/json', signal);
  moves.push({ from: to, to: key });
}

/** Prepares the mirror's files and its manifest: those that could be written anew, and their lines. */
async function prepareMirror(
  work: ErasureWork,
  target: BatchToErase,
  files: readonly MirrorObject[],
  found: readonly ErasedLine[],
  { moves, failures }: Objects,
): Promise<{ amended: AmendedFile[]; lines: ErasedLine[] }> {
  const mirror: Objects = { moves: [], failures };
  const amended = await rewriteMirror(work, target, files, found, mirror);
  const lines = found.filter((line) => amended.some((file) => file.file_no === line.file_no));
  const isListed = await tryObject(work, mirror, async () => {
    await rewriteManifest(work, target, { files, amended, lines }, mirror);
    return true;
  });
  // Files are never other than their manifest says.
  if (isListed === undefined) return { amended: [], lines: [] };
  moves.push(...mirror.moves);
  return { amended, lines };
}

interface SnapshotMove extends RewrittenSnapshot {
  publishId: number;
  was: string;
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
async function rewriteSnapshots(
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

/** Writes the samples anew that have something of the person. @returns old object → new one */
async function rewriteAllSamples(
  work: ErasureWork,
  { batch: { batch_id: batchId }, pseudonyms }: BatchToErase,
  keys: readonly string[],
  objects: Objects,
): Promise<{ references: Map<string, SamplesReference>; samples: number }> {
  const people = new Set(pseudonyms);
  const references = new Map<string, SamplesReference>();
  let samples = 0;
  for (const key of keys) {
    const written = await tryObject(work, objects, () =>
      rewriteSamples(work, batchId, key, (subjectId) => people.has(subjectId)),
    );
    if (written === undefined) continue;
    references.set(key, written.reference);
    samples += written.samples;
    objects.moves.push({ from: key, to: null });
  }
  return { references, samples };
}

/** Writes the parts anew that have events of the person, beside the old ones. @returns by the old object */
async function rewriteParts(
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

/** Amends the books of the parts. */
async function amendParts(client: Client, batchId: string, written: ReadonlyMap<string, RewrittenPart>): Promise<void> {
  for (const part of await listPartsToAmend(client, batchId)) {
    const { part_id, accepted, quarantined, filtered, expired, known, object_key: key } = part;
    const taken = amendPartCounts(part, part.state === 'imported' ? accepted : 0, known);
    const object = key === null ? undefined : written.get(key)?.object;
    await amendPart(client, {
      ...{ part_id, accepted, quarantined, filtered, expired, taken },
      ...(object !== undefined && { object }),
    });
  }
}

/** Takes ids of events, and references to samples that were written anew, out of what gates have said. */
async function amendGates(
  client: Client,
  batchId: string,
  events: ReadonlySet<string>,
  references: ReadonlyMap<string, SamplesReference>,
): Promise<number> {
  let amended = 0;
  for (const gate of await listGateDetails(client, batchId)) {
    const detail = forgetIds(gate.detail, events);
    const reference = SamplesReference.safeParse(isJsonObject(detail) ? detail.samples : undefined).data;
    const now = reference && references.get(reference.key);
    if (now === undefined && detail === gate.detail) continue;
    const next = now === undefined ? detail : { ...detail, samples: now };
    await amendGateDetail(client, batchId, { ...gate, detail: next as GateDetail['detail'] });
    amended += 1;
  }
  return amended;
}

/** Has measured again what is not published, and written again what is said of the others. */
async function followUp(client: Client, { batch_id: batchId }: BatchRow): Promise<void> {
  const change = { batchId, from: ['awaiting_publish_approval', 'gates_failed'] as const, to: 'verifying' as const };
  const reason = 'a person of its events is to be forgotten';
  if (await changeStatus(client, { ...change, reason })) return;
  await remeasureWhenResumed(client, batchId);
  const { rows } = await client.query<BatchRow>('select * from analytics.backfill_batches where batch_id = $1', [
    batchId,
  ]);
  if (rows[0] !== undefined && ['published', 'rolled_back'].includes(rows[0].status))
    await enqueueOpenWork(client, rows[0]);
}

/** The objects that the books name, but for the mirror's: in between there may be others. */
async function listNamedObjects(db: Queryable, batchId: string): Promise<string[]> {
  const noted = await listNotedSnapshots(db, batchId);
  return [...noted.map((one) => one.snapshot_path), ...(await listPartObjects(db, batchId))];
}

/** What was found and prepared before the transaction. */
interface Prepared {
  named: string[];
  files: MirrorObject[];
  lines: ErasedLine[];
  amended: AmendedFile[];
  parts: Map<string, RewrittenPart>;
  snapshots: SnapshotMove[];
  references: Map<string, SamplesReference>;
  samples: number;
  strays: string[];
}

async function eraseInTransaction(
  work: ErasureWork,
  client: Client,
  target: BatchToErase,
  prepared: Prepared,
  objects: Objects,
): Promise<void> {
  const { batch, erasureId, pseudonyms, hold } = target;
  const { batch_id: batchId } = batch;
  const { config } = work;
  await hold(client);
  const now = await listMirrorObjects(client, batchId);
  if (prepared.files.some((file) => now.find((one) => one.file_no === file.file_no)?.sha256 !== file.sha256)) {
    throw new StaleWorkError(`the mirror of ${batchId} is another one by now`);
  }
  if ((await listNamedObjects(client, batchId)).join('\n') !== prepared.named.join('\n')) {
    throw new StaleWorkError(`parts or snapshots of ${batchId} are others by now`);
  }
  const { lines, snapshots, references, strays } = prepared;
  const found = snapshots.flatMap((snapshot) => snapshot.events);
  const { events } = await collectErased(client, batchId, { erasureId, pseudonyms, lines, events: found });
  const ids = new Set(events);
  await amendParts(client, batchId, prepared.parts);
  await unbookLiveRows(client, batchId);
  const rows = await eraseBatchRows(client, batch);
  const mirrored = prepared.files.map((file) => file.file_no);
  await amendFiles(client, batchId, prepared.amended, mirrored);
  const readings = lines.length > 0 ? await deleteRecounts(client, batchId) : 0;
  const gates = await amendGates(client, batchId, ids, references);
  const proofs = await amendRollbackProofs(client, batchId);
  for (const { publishId, was, key, sha256, bytes, rows: left } of snapshots) {
    const path = `s3://${config.storage.archiveBucket}/${key}`;
    await amendSnapshot(client, batchId, { publishId, was, path, sha256, bytes, rows: left });
  }
  // What was written anew may be named as something that was there, since its name is its content.
  const inUse = new Set(await listPartObjects(client, batchId));
  const moves = [...objects.moves, ...strays.map((from) => ({ from, to: null }))];
  await insertErasureObjects(
    client,
    batchId,
    moves.filter(({ from, to }) => to !== null || !inUse.has(from)),
  );
  const count = (store: string, counts: { rows?: number; objects?: number }, of = erasureId) =>
    countErased(client, of, store, { batchId, ...counts });
  for (const of of new Set(lines.map((line) => line.erasure_id))) {
    const own = lines.filter((line) => line.erasure_id === of);
    await count('mirror', { rows: own.length, objects: new Set(own.map((line) => line.file_no)).size }, of);
  }
  const parts = [...prepared.parts.values()];
  await count('parts', { rows: parts.reduce((sum, part) => sum + part.rows, 0), objects: parts.length });
  await count('snapshots', { rows: found.length, objects: snapshots.length });
  await count('samples', { rows: prepared.samples, objects: references.size });
  await count('strays', { objects: strays.length });
  await count('recounts', { rows: readings });
  await count('gate_results', { rows: gates });
  await count('rollback_proofs', { rows: proofs });
  for (const [store, n] of Object.entries(rows)) await count(store, { rows: n });
  const isTouched =
    lines.length > 0 ||
    snapshots.length > 0 ||
    references.size > 0 ||
    gates > 0 ||
    Object.values(rows).some((n) => n > 0);
  if (isTouched) {
    await recordErased(client, batchId, {
      ...{ erasure_id: erasureId, lines: lines.length, events: events.length, parts: parts.length },
      files: prepared.amended.map(({ file_no, sha256, size }) => ({
        ...{ file_no, sha256, size },
        was: prepared.files.find((file) => file.file_no === file_no)?.sha256,
      })),
      snapshots: snapshots.map(({ publishId, sha256 }) => ({ publish_id: publishId, sha256 })),
    });
    await followUp(client, batch);
  }
  if (objects.failures.length === 0) await markErasureBatch(client, erasureId, batch, 'erased_at');
}

/**
 * Takes everything of people who are to be forgotten out of a batch: lines of its mirror become empty ones, parts,
 * snapshots and samples are written anew, rows go, and books, checksums and manifest are amended. What objects become is
 * prepared beside them; the transaction decides; then they take their places, whatever crashes. Done again it finds nothing.
 *
 * An object that cannot be read, or not be written anew, holds nothing else up: rows go, live ones before all, and so do
 * other objects. Its lines stay booked as they were, but for those whose rows have gone.
 *
 * @returns why some objects stayed as they were: the batch is not done then
 * @throws {StaleWorkError} when the batch moved on meanwhile: nothing was done
 */
export async function eraseInBatch(work: ErasureWork, target: BatchToErase): Promise<unknown[]> {
  const { pool, store, config } = work;
  const { batch_id: batchId } = target.batch;
  await finishErasureObjects(work, batchId);
  const mirrored = new Set(
    (await listFiles(pool, batchId)).filter((f) => f.mirrored_at !== null).map((f) => f.file_no),
  );
  const files: MirrorObject[] = [];
  for (const file of await listMirrorObjects(pool, batchId)) {
    const key = archiveLayout.mirrorObject(batchId, file.source_file);
    // Its time may be over.
    if (mirrored.has(file.file_no) && (await store.exists(config.storage.archiveBucket, key, work.signal)))
      files.push(file);
  }
  const objects: Objects = { moves: [], failures: [] };
  const named = await listNamedObjects(pool, batchId);
  const { strays, samples } = await findStrays(work, batchId);
  const { erasureId, pseudonyms } = target;
  const ledger = await listLinesOfPerson(pool, batchId, { erasureId, pseudonyms });
  const found = await scanMirror(work, target, files, ledger, objects);
  const { amended, lines } = await prepareMirror(work, target, files, found, objects);
  const parts = await rewriteParts(work, target, [...ledger, ...found], objects);
  const snapshots = await rewriteSnapshots(work, target, objects);
  const rewritten = await rewriteAllSamples(work, target, samples, objects);
  crashPoint('erase:prepared');
  const prepared = { named, files, lines, amended, parts, snapshots, ...rewritten, strays };
  await withTransaction(pool, ACTOR, async (client) => {
    await eraseInTransaction(work, client, target, prepared, objects);
    crashPoint('erase:written');
  });
  crashPoint('erase:committed');
  await finishErasureObjects(work, batchId);
  return objects.failures;
}
