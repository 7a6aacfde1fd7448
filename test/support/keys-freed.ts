import { listPreparedKeys } from '@backfill/core/db/queries/prepared-keys';
import type { TestEnvironment } from './environment.ts';
import { waitFor } from './wait-for.ts';

/** Waits until nothing is prepared between the two databases. */
export async function nothingInDoubt({ keys }: TestEnvironment): Promise<void> {
  await waitFor('nothing to be in doubt', async () => ((await listPreparedKeys(keys)).length === 0 ? true : undefined));
}

/** Waits for what a rollback leaves to the services where the keys have a database of their own. */
export async function keysFreed(environment: TestEnvironment, batchId: string): Promise<void> {
  await waitFor(`the keys of ${batchId} to be freed`, async () => {
    const { rowCount } = await environment.sql.query(
      'select 1 from analytics.backfill_rollbacks where batch_id = $1 and keys_freed is null',
      [batchId],
    );
    return rowCount === 0 ? true : undefined;
  });
  // The proof is complete with the decision; the keys go right after it.
  await nothingInDoubt(environment);
}
