import type { ServiceConfig } from '@backfill/core/config/environment';
import type { KeyStore } from '@backfill/core/db/key-store';
import { createPool, type Pool } from '@backfill/core/db/pool';

/** One session. */
function createToolPool(connectionString: string): Pool {
  return createPool({
    connectionString,
    applicationName: 'backfill-cli',
    max: 1,
    // The next query tells.
    onIdleError: () => undefined,
  });
}

/** Lends a session in the events' database and, where the dedup store has one of its own, one in that. */
export async function withKeyStore<T>(
  config: Pick<ServiceConfig, 'databaseUrl' | 'checkpointDatabaseUrl'>,
  work: (pool: Pool, keyStore: KeyStore) => Promise<T>,
): Promise<T> {
  const { databaseUrl, checkpointDatabaseUrl } = config;
  const pool = createToolPool(databaseUrl);
  const keyPool = checkpointDatabaseUrl === undefined ? pool : createToolPool(checkpointDatabaseUrl);
  const isSeparate = keyPool !== pool;
  try {
    return await work(pool, { pool: keyPool, isSeparate });
  } finally {
    await pool.end();
    if (isSeparate) await keyPool.end();
  }
}
