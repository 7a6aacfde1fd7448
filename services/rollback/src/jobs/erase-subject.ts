import type { ErasureJob } from '@backfill/core/contracts/maintenance';
import { crashPoint } from '@backfill/core/crash-point';
import { withKeyTransaction } from '@backfill/core/db/key-transaction';
import { getBatch } from '@backfill/core/db/queries/batch-get';
import { holdBatchAtRest } from '@backfill/core/db/queries/batch-hold-at-rest';
import {
  eraseKeys,
  eraseLiveLosses,
  eraseStoredEvents,
  findStoredEvents,
  holdRollbacks,
  listErasedEvents,
} from '@backfill/core/db/queries/erase-stored';
import {
  beginErasure,
  countErased,
  type ErasureBatch,
  type ErasureRow,
  endErasure,
  isSearching,
  listBatchesToErase,
  listUnsearchedBatches,
  markStoredErased,
  setErasureWaiting,
} from '@backfill/core/db/queries/erasures';
import { listEventPartitions } from '@backfill/core/db/queries/retention-facts';
import { withTransaction } from '@backfill/core/db/transaction';
import { RESTING_STATUSES } from '@backfill/core/domain/batch-status';
import { eraseInBatch } from '@backfill/core/erasure/erase-batch';
import type { ErasureWork } from '@backfill/core/erasure/erasure-work';
import { finishErasureObjects } from '@backfill/core/erasure/finish-objects';
import { isPassing } from '@backfill/core/erasure/is-passing';
import { DeferError, describeError, describeReason, StaleWorkError } from '@backfill/core/errors';
import { keyRingOf } from '@backfill/core/runtime/keyed-runtime';
import type { Runtime } from '@backfill/core/runtime/runtime';
import { inRetentionOffice } from '../retention/retention-work.ts';
import { waitDelayMs } from './wait-delay.ts';

const ACTOR = 'erasure';
const BUSY_DELAY_MS = 1_000;
const KEYS_AT_ONCE = 10_000;
/** In the names of prepared transactions. No batch is called so. */
const NO_BATCH = '*erasure';

interface Erasing {
  runtime: Runtime;
  work: ErasureWork;
  erasure: ErasureRow;
  /** To be awaited before anything is erased: throws when this process is to stop, or has lost its office. */
  check(): Promise<void>;
}

/** Goes through all stored events. @returns the batches that have live rows of the person left */
async function eraseStored({ runtime: { pool }, erasure, check }: Erasing): Promise<Set<string>> {
  const { erasure_id: erasureId, pseudonyms } = erasure;
  const left = new Set<string>();
  for (const { leaf } of await listEventPartitions(pool)) {
    await check();
    const { rows, sources, batches } = await findStoredEvents(pool, leaf, pseudonyms);
    if (rows === 0) continue;
    await withTransaction(pool, ACTOR, async (client) => {
      await holdRollbacks(client, sources);
      const count = await eraseStoredEvents(client, leaf, { erasureId, pseudonyms });
      await countErased(client, erasureId, 'events_log', { rows: count });
    });
    crashPoint('erase:stored');
    for (const batch of batches) left.add(batch);
  }
  return left;
}

/** @returns what is wrong with the batch; undefined when nothing is. @throws {StaleWorkError} when it is to be looked at later */
async function eraseBatch(erasing: Erasing, found: ErasureBatch): Promise<string | undefined> {
  const { runtime, work, erasure, check } = erasing;
  const batch = await getBatch(runtime.pool, found.batch_id);
  const isSame = batch?.attempt === found.attempt;
  if (batch === undefined || !isSame || found.has_work || !RESTING_STATUSES.includes(batch.status)) {
    throw new StaleWorkError(`batch ${found.batch_id} does not rest`);
  }
  const { erasure_id: erasureId, pseudonyms } = erasure;
  try {
    const failures = await eraseInBatch(work, {
      ...{ batch, erasureId, pseudonyms },
      async hold(client) {
        if ((await holdBatchAtRest(client, batch)) === undefined) {
          throw new StaleWorkError(`batch ${batch.batch_id} has moved on`);
        }
      },
    });
    for (const error of failures) {
      runtime.logger.error({ batch: batch.batch_id, error: describeError(error) }, 'not all was erased');
    }
    if (failures.length === 0) return undefined;
    return `${batch.batch_id}: objects stayed as they were: ${failures.map(describeReason).join('; ')}`;
  } catch (error) {
    // A lost office, a database that is away, a batch that moved on: all of it comes back. Else others need not wait for it.
    await check();
    if (error instanceof StaleWorkError) throw error;
    if (isPassing(error)) {
      const delay = waitDelayMs(Date.now() - erasure.submitted_at.getTime());
      throw new DeferError(`objects of ${batch.batch_id} cannot be read now`, delay, { cause: error });
    }
    runtime.logger.error({ batch: batch.batch_id, error: describeError(error) }, 'not erased');
    return `${batch.batch_id}: ${describeReason(error)}`;
  }
}

/** Deletes the dedup keys of the person's events, in one transaction with its receipt wherever they are. */
async function eraseAllKeys({ runtime, erasure: { erasure_id: erasureId }, check }: Erasing): Promise<void> {
  const { pool, keyStore } = runtime;
  for (let after = ''; ; ) {
    await check();
    const events = await listErasedEvents(pool, erasureId, after, KEYS_AT_ONCE);
    const last = events.at(-1);
    if (last === undefined) return;
    const work = { batchId: NO_BATCH, partId: 0, epoch: erasureId };
    await withKeyTransaction({ pool, keyStore, actor: ACTOR, step: 'forget', work }, async (client, keys) => {
      const rows = await eraseKeys(await keys.open(), events);
      await countErased(client, erasureId, 'keys', { rows });
      await keys.prepare();
    });
    crashPoint('erase:keys-deleted');
    after = last;
  }
}

/**
 * Goes through the batches that rest.
 *
 * @returns what could not be erased, by batch
 * @throws {DeferError} when something has to be looked at later
 */
async function eraseBatches(erasing: Erasing): Promise<Map<string, string>> {
  const { runtime, erasure, check } = erasing;
  const { pool } = runtime;
  const { erasure_id: erasureId } = erasure;
  const failed = new Map<string, string>();
  const waiting: string[] = [];
  for (const batch of await listBatchesToErase(pool, erasureId)) {
    await check();
    try {
      const problem = await eraseBatch(erasing, batch);
      if (problem !== undefined) failed.set(batch.batch_id, problem);
    } catch (error) {
      if (!(error instanceof StaleWorkError)) throw error;
      waiting.push(batch.batch_id);
    }
  }
  await setErasureWaiting(pool, erasureId, waiting);
  const delay = waitDelayMs(Date.now() - erasure.submitted_at.getTime());
  if (waiting.length > 0) throw new DeferError(`erasure ${erasureId} waits for ${waiting.length} batches`, delay);
  if (await isSearching(pool, erasureId)) throw new DeferError(`erasure ${erasureId} is still searched`, delay);
  const more = (await listBatchesToErase(pool, erasureId)).filter((batch) => !failed.has(batch.batch_id));
  if (more.length > 0) throw new DeferError(`erasure ${erasureId} has found more`, 0);
  return failed;
}

/** @throws {DeferError} when something has to be looked at later */
async function eraseAll(erasing: Erasing): Promise<void> {
  const { runtime, erasure } = erasing;
  const { pool } = runtime;
  const { erasure_id: erasureId } = erasure;
  if (!erasure.is_stored_erased) {
    await eraseStored(erasing);
    await markStoredErased(pool, erasure);
  }
  const failed = await eraseBatches(erasing);
  // The proof, and what came while all this went on.
  const left = [...(await eraseStored(erasing))].filter((batch) => !failed.has(batch));
  if (left.length > 0) {
    const delay = waitDelayMs(Date.now() - erasure.submitted_at.getTime());
    throw new DeferError(`erasure ${erasureId} has live rows in batches that moved on: ${left.join(', ')}`, delay);
  }
  await eraseAllKeys(erasing);
  await withTransaction(pool, ACTOR, async (client) => {
    await countErased(client, erasureId, 'live_losses', { rows: await eraseLiveLosses(client, erasureId) });
  });
  const unsearched = (await listUnsearchedBatches(pool, erasureId)).map(
    (batch) => `lines of ${batch} that cannot be read were not searched by the clear id: submit it again`,
  );
  const problems = [...failed.values(), ...unsearched];
  await withTransaction(pool, ACTOR, (client) => endErasure(client, erasure, problems));
  crashPoint('erase:ended');
}

/**
 * Forgets a person: by the pseudonyms, wherever something of them is stored. One process at a time, and none beside
 * retention; safe to repeat and to be cut off anywhere.
 *
 * @throws {DeferError} while batches are under way that may have something of the person, or somebody is in office
 */
export async function eraseSubject(
  runtime: Runtime,
  job: ErasureJob,
  { signal }: { signal: AbortSignal },
): Promise<void> {
  const { pool, store, config, logger } = runtime;
  const done = await inRetentionOffice(pool, async (inOffice) => {
    const check = async () => {
      signal.throwIfAborted();
      await inOffice();
    };
    await finishErasureObjects({ pool, store, config, signal });
    const erasure = job.erasure_id === undefined ? undefined : await beginErasure(pool, job.erasure_id);
    if (erasure === undefined) return;
    crashPoint('erase:begun');
    const people = new Map(erasure.pseudonyms.map((name) => [name, erasure.erasure_id]));
    const work = { pool, store, config, keys: keyRingOf(config), people, signal };
    await eraseAll({ runtime, work, erasure, check });
    logger.info({ erasure: erasure.erasure_id }, 'a person was forgotten');
  });
  if (done === undefined) throw new DeferError('retention or another erasure is under way', BUSY_DELAY_MS);
}
