import type { BatchJob } from '@backfill/core/contracts/batch-job';
import { crashPoint } from '@backfill/core/crash-point';
import { copyIn } from '@backfill/core/db/copy-in';
import type { Client } from '@backfill/core/db/pool';
import {
  countLoadedRows,
  createLineTable,
  dropSnapshotLoads,
  fillSnapshotTable,
  getSnapshotToLoad,
  noteSnapshotLoad,
  type SnapshotToLoad,
} from '@backfill/core/db/queries/snapshot-load';
import { withTransaction } from '@backfill/core/db/transaction';
import { StaleWorkError } from '@backfill/core/errors';
import type { Runtime } from '@backfill/core/runtime/runtime';
import { openSnapshot, type StoredSnapshot } from './open-snapshot.ts';

/** How long the load may wait for the archive. */
const IDLE_TIMEOUT = '10min';

async function load(client: Client, job: BatchJob, snapshot: SnapshotToLoad, stored: StoredSnapshot): Promise<void> {
  await client.query(`select set_config('idle_in_transaction_session_timeout', '${IDLE_TIMEOUT}', true)`);
  const statement = await createLineTable(client);
  await stored.read((lines) => copyIn(client, statement, lines));
  crashPoint('rollback:copied');
  const table = await fillSnapshotTable(client);
  const batch = { batchId: job.batch_id, epoch: job.epoch };
  if (!(await noteSnapshotLoad(client, batch, snapshot.publish_id, table))) {
    throw new StaleWorkError(`the snapshot of batch ${job.batch_id} is not wanted any more, or loaded by a twin`);
  }
  crashPoint('rollback:filled');
}

/**
 * Loads the snapshot that a batch's rollback restores, in bounded memory and one transaction: a crash leaves nothing of
 * it, and whoever comes after begins anew. The rollback drops what was loaded, whatever its mode is by then.
 *
 * @throws {FatalError} when the archive does not hold what the publish wrote.
 */
export async function loadSnapshot(runtime: Runtime, job: BatchJob, signal: AbortSignal): Promise<void> {
  const { pool, logger } = runtime;
  const snapshot = await getSnapshotToLoad(pool, job.batch_id);
  if (snapshot === undefined) return;
  const loaded = await countLoadedRows(pool, snapshot.publish_id);
  if (loaded === snapshot.rows) return;
  const stored = openSnapshot(runtime, job.batch_id, snapshot, signal);
  // Before anything of it is looked into.
  await stored.verify();
  await withTransaction(pool, 'rollback', async (client) => {
    if (loaded !== undefined) await dropSnapshotLoads(client, job.batch_id);
    await load(client, job, snapshot, stored);
  });
  crashPoint('rollback:loaded');
  logger.info({ batch: job.batch_id, rows: snapshot.rows, bytes: snapshot.bytes }, 'snapshot loaded');
}
