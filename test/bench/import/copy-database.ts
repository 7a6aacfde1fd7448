import { migrate } from '@backfill/core/db/migrate';
import { createPool, type Pool } from '@backfill/core/db/pool';
import type { Runtime } from '@backfill/core/runtime/runtime';
import { insertBatch } from '../../support/insert-batch.ts';

/** A second, empty database beside the pipeline's, with the batch's staging leaf. */
export interface CopyDatabase {
  pool: Pool;
  leaf: string;
  close(): Promise<void>;
}

/** Makes the tables that the limit and the baseline are measured on: the same ones, on the same server. */
export async function createCopyDatabase(
  runtime: Runtime,
  name: string,
  batch: Parameters<typeof insertBatch>[1],
): Promise<CopyDatabase> {
  await runtime.pool.query(`create database ${name}`);
  const url = new URL(runtime.config.databaseUrl);
  url.pathname = `/${name}`;
  await migrate({ connectionString: url.href });
  const pool = createPool({
    connectionString: url.href,
    applicationName: 'bench',
    max: 4,
    onIdleError: () => undefined,
  });
  await insertBatch({ config: runtime.config, pool }, batch);
  const { rows } = await pool.query<{ leaf: string }>(
    `select analytics.staging_leaf(batch_no) as leaf, analytics.create_staging_leaf(batch_id)
       from analytics.backfill_batches where batch_id = $1`,
    [batch.batchId],
  );
  return { pool, leaf: rows[0]?.leaf ?? '', close: () => pool.end() };
}
