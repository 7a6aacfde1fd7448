import type { Client, Pool } from '../db/pool.ts';
import { avoidNestedLoops } from '../db/queries/avoid-nested-loops.ts';
import { type BatchFence, enterBatchFence } from '../db/queries/batch-fence.ts';
import { limitStatements } from '../db/queries/limit-statements.ts';
import { withTransaction } from '../db/transaction.ts';

/** Lends a connection for reads on behalf of a batch. */
export type BatchReader = <T>(read: (client: Client) => Promise<T>) => Promise<T>;

/**
 * A reader for what may take long. Its reads count as work for the batch: when that is stopped, they are ended with the
 * rest of it (see terminateStoppedWork), instead of keeping their worker and their connection.
 *
 * @param limits.statementSeconds when a statement is given up; never when absent. A cursor's rows come in many statements,
 *   of which the first may sort them all.
 */
export function createBatchReader(
  pool: Pool,
  fence: BatchFence,
  { statementSeconds }: { statementSeconds?: number } = {},
): BatchReader {
  const inTransaction = createReader(pool);
  return (read) =>
    inTransaction(async (client) => {
      await enterBatchFence(client, fence.batchId, fence.statuses, fence.epoch);
      if (statementSeconds !== undefined) await limitStatements(client, statementSeconds);
      return read(client);
    });
}

/** A reader of whole batches that rest: there is nothing that could be stopped. */
export function createReader(pool: Pool): BatchReader {
  return (read) =>
    withTransaction(pool, 'reader', async (client) => {
      await avoidNestedLoops(client);
      return read(client);
    });
}
