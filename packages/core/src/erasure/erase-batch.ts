import { randomUUID } from 'node:crypto';
import { crashPoint } from '../crash-point.ts';
import { reopenErasures } from '../db/queries/erasure-reopen.ts';
import { listFiles } from '../db/queries/file-list.ts';
import { listMirrorObjects, type MirrorObject } from '../db/queries/mirror-object-list.ts';
import { listLinesOfPerson } from '../db/queries/person-line-list.ts';
import { withTransaction } from '../db/transaction.ts';
import { archiveLayout } from '../storage/layout.ts';
import type { BatchToErase, ErasureAttempt } from './batch-to-erase.ts';
import { eraseInTransaction } from './erase-in-transaction.ts';
import type { ErasureWork } from './erasure-work.ts';
import { findStrays } from './find-strays.ts';
import { finishErasureObjects } from './finish-objects.ts';
import { listNamedObjects } from './list-named-objects.ts';
import { prepareMirror } from './prepare-mirror.ts';
import { rewriteParts } from './rewrite-parts.ts';
import { rewriteAllSamples } from './rewrite-samples.ts';
import { rewriteSnapshots } from './rewrite-snapshots.ts';
import { scanMirror } from './scan-mirror.ts';
import type { Objects } from './try-object.ts';

const ACTOR = 'erasure';

/** The objects of the mirror that there are: the time of some may be over. */
async function listMirrored({ pool, store, config, signal }: ErasureWork, batchId: string): Promise<MirrorObject[]> {
  const mirrored = new Set(
    (await listFiles(pool, batchId)).filter((f) => f.mirrored_at !== null).map((f) => f.file_no),
  );
  const files: MirrorObject[] = [];
  for (const file of await listMirrorObjects(pool, batchId)) {
    const key = archiveLayout.mirrorObject(batchId, file.source_file);
    if (mirrored.has(file.file_no) && (await store.exists(config.storage.archiveBucket, key, signal))) files.push(file);
  }
  return files;
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
  const { pool } = work;
  const { batch_id: batchId } = target.batch;
  const { rows } = await pool.query<{ now: string }>('select clock_timestamp()::text as now');
  try {
    return await tryToErase(work, { ...target, name: randomUUID() });
  } catch (error) {
    // It may have been frozen, and has left objects that those have not seen who were through with the batch meanwhile.
    await withTransaction(pool, ACTOR, (client) => reopenErasures(client, batchId, rows[0]?.now)).catch(
      () => undefined,
    );
    throw error;
  }
}

/** What the attempt has prepared and what takes no place, as of a file that turned out to be damaged. */
async function listUnused({ store, config, signal }: ErasureWork, target: ErasureAttempt, { moves }: Objects) {
  const used = new Set(moves.map((move) => move.from));
  const unused: string[] = [];
  const prefix = archiveLayout.erasing(target.batch.batch_id, target.name, '');
  for await (const { key } of store.list(config.storage.archiveBucket, prefix)) {
    signal.throwIfAborted();
    if (!used.has(key)) unused.push(key);
  }
  return unused;
}

async function tryToErase(work: ErasureWork, target: ErasureAttempt): Promise<unknown[]> {
  const { pool } = work;
  const { batch_id: batchId } = target.batch;
  await finishErasureObjects(work, batchId);
  const files = await listMirrored(work, batchId);
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
  for (const from of await listUnused(work, target, objects)) objects.moves.push({ from, to: null });
  const prepared = { named, files, lines, amended, parts, snapshots, ...rewritten, strays };
  await withTransaction(pool, ACTOR, async (client) => {
    await eraseInTransaction(work, client, target, prepared, objects);
    crashPoint('erase:written');
  });
  crashPoint('erase:committed');
  await finishErasureObjects(work, batchId);
  return objects.failures;
}
