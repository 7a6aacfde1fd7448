import type { Pool } from '../db/pool.ts';
import { reopenErasures } from '../db/queries/erasure-reopen.ts';
import { withTransaction } from '../db/transaction.ts';
import { DeferError } from '../errors.ts';

/**
 * Runs work that writes objects of a batch first and enters them in its books then. Where it fails in between, objects may
 * be there that nobody knows of; of a process that was frozen also after the batch was looked through for somebody who is
 * to be forgotten. So it is looked through again, which takes strays away.
 */
export async function withStrays<T>(pool: Pool, batchId: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // Work that is put off goes on: whoever looks at the batch waits until it rests, and finds everything.
    if (!(error instanceof DeferError)) {
      await withTransaction(pool, 'erasure', (client) => reopenErasures(client, batchId)).catch(() => undefined);
    }
    throw error;
  }
}
