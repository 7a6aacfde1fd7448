import type { KeyStore } from '../db/key-store.ts';
import { type KeyTransaction, settleKeys, withKeyTransaction } from '../db/key-transaction.ts';
import type { Client, Pool } from '../db/pool.ts';
import { avoidNestedLoops } from '../db/queries/avoid-nested-loops.ts';
import {
  deleteReleasedKeys,
  holdHeirs,
  type KeyRelease,
  listKeyReleases,
  listRehomedKeys,
  lockKeyRelease,
  rehomeKeys,
  setKeysFreed,
} from '../db/queries/key-release.ts';
import { listPreparedKeys } from '../db/queries/prepared-keys.ts';
import { FatalError } from '../errors.ts';

const ACTOR = 'dedup-store';
const KEYS_AT_ONCE = 20_000;

/**
 * Finishes everything of the batch that is prepared, however young. Nothing of it can be decided any more but here: the
 * rollback has waited for all transactions of the batch.
 */
async function settleBatch(pool: Pool, keyStore: KeyStore, batchId: string): Promise<void> {
  const prepared = await listPreparedKeys(keyStore.pool);
  for (const { gid, batch_id } of prepared) {
    if (batch_id === batchId) await settleKeys(pool, keyStore, gid);
  }
}

/** Gives what was handed over to those that have it now. */
async function rehome(client: Client, keys: KeyTransaction, release: KeyRelease): Promise<void> {
  await avoidNestedLoops(client);
  await holdHeirs(client, release.batch_id);
  for (let after = ''; ; ) {
    const rehomed = await listRehomedKeys(client, release, after, KEYS_AT_ONCE);
    const last = rehomed.at(-1);
    if (last === undefined) return;
    await rehomeKeys(await keys.open(), release.batch_id, rehomed);
    after = last.event_id;
  }
}

async function freeKeys(pool: Pool, keyStore: KeyStore, release: KeyRelease): Promise<number | undefined> {
  const { rollback_id, batch_id, attempt } = release;
  await settleBatch(pool, keyStore, batch_id);
  const work = { batchId: batch_id, partId: 0, epoch: attempt };
  return withKeyTransaction({ pool, keyStore, actor: ACTOR, step: 'release', work }, async (client, keys) => {
    const isOurs = await lockKeyRelease(client, rollback_id);
    if (isOurs) await rehome(client, keys, release);
    const { freed, after } = isOurs ? await deleteReleasedKeys(await keys.open(), release) : { freed: 0, after: 0 };
    if (after > 0) throw new FatalError(`the rollback of ${batch_id} would leave ${after} keys`);
    if (isOurs) await setKeysFreed(client, rollback_id, freed, after);
    await keys.prepare();
    return isOurs ? freed : undefined;
  });
}

/**
 * Frees the keys of batches that were rolled back where the keys were out of reach, and completes their proofs. Safe to
 * repeat and to run twice.
 *
 * @returns the releases that were done here
 */
export async function freeReleasedKeys(pool: Pool, keyStore: KeyStore): Promise<{ batch: string; keys: number }[]> {
  const done: { batch: string; keys: number }[] = [];
  for (const release of await listKeyReleases(pool)) {
    const keys = await freeKeys(pool, keyStore, release);
    if (keys !== undefined) done.push({ batch: release.batch_id, keys });
  }
  return done;
}
