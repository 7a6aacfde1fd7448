import type { Client } from '../db/pool.ts';
import { collectErased, type ErasedLine } from '../db/queries/erased-collect.ts';
import { recordErased } from '../db/queries/erased-record.ts';
import { eraseBatchRows } from '../db/queries/erased-row-delete.ts';
import { insertErasureObjects } from '../db/queries/erasure-objects.ts';
import { countErased, markErasureBatch } from '../db/queries/erasures.ts';
import { type AmendedFile, amendFiles } from '../db/queries/file-amend.ts';
import { listMirrorObjects, type MirrorObject } from '../db/queries/mirror-object-list.ts';
import { listPartObjects } from '../db/queries/part-object-list.ts';
import { unbookLiveRows } from '../db/queries/publish-unbook.ts';
import { deleteRecounts } from '../db/queries/recounts.ts';
import { amendRollbackProofs } from '../db/queries/rollback-proof-amend.ts';
import { amendSnapshot } from '../db/queries/snapshot-amend.ts';
import { StaleWorkError } from '../errors.ts';
import type { SamplesReference } from '../report/samples.ts';
import { amendGates, amendParts } from './amend-books.ts';
import type { BatchToErase } from './batch-to-erase.ts';
import type { ErasureWork } from './erasure-work.ts';
import { followUp } from './follow-up.ts';
import { listNamedObjects } from './list-named-objects.ts';
import type { RewrittenPart } from './rewrite-parts.ts';
import type { SnapshotMove } from './rewrite-snapshots.ts';
import type { Objects } from './try-object.ts';

/** What was found and prepared before the transaction. */
export interface Prepared {
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

/** @throws {StaleWorkError} when objects are others by now than those that were read */
async function requireAsPrepared(client: Client, batchId: string, prepared: Prepared): Promise<void> {
  const now = await listMirrorObjects(client, batchId);
  if (prepared.files.some((file) => now.find((one) => one.file_no === file.file_no)?.sha256 !== file.sha256)) {
    throw new StaleWorkError(`the mirror of ${batchId} is another one by now`);
  }
  if ((await listNamedObjects(client, batchId)).join('\n') !== prepared.named.join('\n')) {
    throw new StaleWorkError(`parts or snapshots of ${batchId} are others by now`);
  }
}

/**
 * The batch is held, and no object of it is being replaced: what others took for strays while this process was frozen is gone.
 *
 * @throws {StaleWorkError} when something of what was prepared is
 */
async function requirePrepared(
  { store, config, signal }: ErasureWork,
  batchId: string,
  { parts, snapshots, references }: Prepared,
  { moves }: Objects,
): Promise<void> {
  const keys = [
    ...moves.filter((move) => move.to !== null).map((move) => move.from),
    ...[...parts.values()].flatMap(({ object }) => object?.key ?? []),
    ...snapshots.map((snapshot) => snapshot.key),
    ...[...references.values()].map((reference) => reference.key),
  ];
  for (const key of keys) {
    if (!(await store.exists(config.storage.archiveBucket, key, signal))) {
      throw new StaleWorkError(`what was prepared for ${batchId} was taken away by another process`);
    }
  }
}

/** What was done to rows and texts of the database. */
interface ErasedCounts {
  rows: Awaited<ReturnType<typeof eraseBatchRows>>;
  readings: number;
  gates: number;
  proofs: number;
}

async function countReceipts(
  client: Client,
  { batch: { batch_id: batchId }, erasureId }: BatchToErase,
  prepared: Prepared,
  { rows, readings, gates, proofs }: ErasedCounts,
): Promise<void> {
  const count = (store: string, counts: { rows?: number; objects?: number }, of = erasureId) =>
    countErased(client, of, store, { batchId, ...counts });
  for (const of of new Set(prepared.lines.map((line) => line.erasure_id))) {
    const own = prepared.lines.filter((line) => line.erasure_id === of);
    await count('mirror', { rows: own.length, objects: new Set(own.map((line) => line.file_no)).size }, of);
  }
  const parts = [...prepared.parts.values()];
  await count('parts', { rows: parts.reduce((sum, part) => sum + part.rows, 0), objects: parts.length });
  await count('snapshots', {
    rows: prepared.snapshots.flatMap(({ events }) => events).length,
    objects: prepared.snapshots.length,
  });
  await count('samples', { rows: prepared.samples, objects: prepared.references.size });
  await count('strays', { objects: prepared.strays.length });
  await count('recounts', { rows: readings });
  await count('gate_results', { rows: gates });
  await count('rollback_proofs', { rows: proofs });
  for (const [store, n] of Object.entries(rows)) await count(store, { rows: n });
}

/**
 * The step that decides: rows go, books are amended, and what is left to be done with objects is written down.
 *
 * @throws {StaleWorkError} when the batch moved on, or its objects are others, since it was prepared
 */
export async function eraseInTransaction(
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
  await requireAsPrepared(client, batchId, prepared);
  await requirePrepared(work, batchId, prepared, objects);
  const { lines, parts, snapshots, references, strays } = prepared;
  const found = snapshots.flatMap((snapshot) => snapshot.events);
  const { events } = await collectErased(client, batchId, { erasureId, pseudonyms, lines, events: found });
  await amendParts(client, batchId, parts);
  await unbookLiveRows(client, batchId);
  const rows = await eraseBatchRows(client, batch);
  const mirrored = prepared.files.map((file) => file.file_no);
  await amendFiles(client, batchId, prepared.amended, mirrored);
  const readings = lines.length > 0 ? await deleteRecounts(client, batchId) : 0;
  const gates = await amendGates(client, batchId, new Set(events), references);
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
  await countReceipts(client, target, prepared, { rows, readings, gates, proofs });
  const isTouched =
    lines.length > 0 ||
    snapshots.length > 0 ||
    references.size > 0 ||
    gates > 0 ||
    Object.values(rows).some((n) => n > 0);
  if (isTouched) {
    await recordErased(client, batchId, {
      ...{ erasure_id: erasureId, lines: lines.length, events: events.length, parts: parts.size },
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
