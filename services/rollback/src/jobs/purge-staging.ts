import { loadConfigDir } from '@backfill/core/config/load-config';
import { purgeStagedRows } from '@backfill/core/db/queries/staging-purge';
import { withTransaction } from '@backfill/core/db/transaction';
import type { Runtime } from '@backfill/core/runtime/runtime';

/** Drops the staged rows of batches that have been complete for as long as the policy keeps them. */
export async function purgeStaging(runtime: Runtime): Promise<void> {
  const { policy } = await loadConfigDir(runtime.config.configDir);
  const purged = await withTransaction(runtime.pool, 'rollback', (client) =>
    purgeStagedRows(client, policy.retention.staging_hours),
  );
  for (const { batch_id, staged } of purged) {
    runtime.logger.info({ batch: batch_id, rows: staged }, 'staging purged');
  }
}
