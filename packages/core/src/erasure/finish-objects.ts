import { crashPoint } from '../crash-point.ts';
import { deleteErasureObject, holdErasureObject, listErasureObjects } from '../db/queries/erasure-objects.ts';
import { withTransaction } from '../db/transaction.ts';
import type { ErasureWork } from './erasure-work.ts';
import { moveObject } from './mirror-file.ts';

/**
 * Does what a committed erasure has left to do with objects: new ones take the place of old ones, and others go. Safe to
 * repeat and to be cut off anywhere; nothing works for a batch until it is done.
 *
 * @param batchId absent: of all batches
 */
export async function finishErasureObjects(
  { pool, store, config, signal }: Pick<ErasureWork, 'pool' | 'store' | 'config' | 'signal'>,
  batchId?: string,
): Promise<void> {
  const bucket = config.storage.archiveBucket;
  for (const { object_no: objectNo, from_key: from, to_key: to } of await listErasureObjects(pool, batchId)) {
    signal.throwIfAborted();
    await withTransaction(pool, 'erasure', async (client) => {
      // Of several who come to it one does it: an object must not be read by one while another takes it away.
      if (!(await holdErasureObject(client, objectNo))) return;
      if (to === null) await store.remove(bucket, from);
      else await moveObject({ store, bucket, key: from }, to, signal);
      crashPoint('erase:object-moved');
      await deleteErasureObject(client, objectNo);
    });
  }
}
