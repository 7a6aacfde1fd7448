import type { KeyObject } from 'node:crypto';
import type { Client } from '@backfill/core/db/pool';
import { type BatchFence, checkBatchFence, enterBatchFence } from '@backfill/core/db/queries/batch-fence';
import { listSuppressedSubjects } from '@backfill/core/db/queries/suppression-list';
import { withTransaction } from '@backfill/core/db/transaction';
import { type BatchReader, createBatchReader } from '@backfill/core/dispatch/read-for-batch';
import { FatalError } from '@backfill/core/errors';
import type { Plan } from '@backfill/core/plan/plan';
import type { KeyRing } from '@backfill/core/recipe/key-ring';
import type { Recipe } from '@backfill/core/recipe/recipe';
import type { KeyedRuntime } from '@backfill/core/runtime/keyed-runtime';
import type { ObjectStore } from '@backfill/core/storage/object-store';
import { requirePinnedKeys } from '@backfill/core/transform/compile-pinned-recipe';

const ACTOR = 'verifier';

/** What a recount works with. */
export interface RecountContext {
  /** Gives up statements that take too long: the gate that wants them has failed. */
  read: BatchReader;
  /** A transaction for the batch, undone when that was stopped meanwhile. */
  change<T>(work: (client: Client) => Promise<T>): Promise<T>;
  store: ObjectStore;
  /** Of the archive. */
  bucket: string;
  batchId: string;
  /** The batch's, under which the work began. */
  epoch: number;
  planHash: string;
  recipe: Recipe;
  keys: KeyRing;
  /** Seals what is kept. */
  auditKey: KeyObject;
  isSuppressed(subjectId: string): boolean;
}

/**
 * Gathers what a recount of the batch needs.
 *
 * @throws {FatalError} when the keys are not those that the plan has pinned.
 */
export async function prepareRecount(
  { pool, store, config, keys }: KeyedRuntime,
  fence: BatchFence,
  { plan, planHash }: { plan: Plan; planHash: string },
): Promise<RecountContext> {
  const { batchId, epoch, statuses } = fence;
  const { recipe } = plan;
  if (config.auditKey === undefined)
    throw new FatalError('Set AUDIT_KEY_FILE (or AUDIT_KEY): readings are sealed with it.');
  requirePinnedKeys(recipe, keys);
  const read = createBatchReader(pool, fence, { statementSeconds: config.gateTimeoutSeconds });
  const suppressed = new Set(await read(listSuppressedSubjects));
  return {
    read,
    change: (work) =>
      withTransaction(pool, ACTOR, async (client) => {
        await enterBatchFence(client, batchId, statuses, epoch);
        const result = await work(client);
        await checkBatchFence(client, fence);
        return result;
      }),
    ...{ store, bucket: config.storage.archiveBucket },
    ...{ batchId, epoch, planHash, recipe, keys },
    auditKey: config.auditKey,
    isSuppressed: (subjectId) => suppressed.has(subjectId),
  };
}
