import type { ServiceConfig } from '@backfill/core/config/environment';
import { loadPolicy } from '@backfill/core/config/load-policy';
import { BackfillError, describeError, isDependencyUnavailable } from '@backfill/core/errors';
import { createKeyRing } from '@backfill/core/recipe/key-ring';
import { ResidencyError } from '@backfill/core/residency/residency-error';
import { findResidencyProblems } from '@backfill/core/runtime/check-residency';
import { requireKeyStore } from '@backfill/core/runtime/prepare-databases';
import { createObjectStore } from '@backfill/core/storage/object-store';
import type { TransformTools } from '@backfill/core/transform/transform-work';
import { CliError } from './cli-error.ts';
import { withKeyStore } from './tool-pools.ts';

async function useTools<T>(
  config: ServiceConfig,
  buckets: readonly string[],
  signal: AbortSignal,
  work: (tools: TransformTools) => Promise<T>,
): Promise<T> {
  const { storage, configDir, salts } = config;
  if (salts === undefined) {
    throw new CliError('Set ANALYTICS_SALT_FILE (or ANALYTICS_SALT): without it there are no pseudonyms.');
  }
  const store = createObjectStore(storage);
  try {
    const { residency } = await loadPolicy(configDir);
    const findings = await findResidencyProblems(config, store, residency, buckets);
    if (findings.length > 0) throw new ResidencyError(findings);
    return await withKeyStore(config, async (pool, keyStore) => {
      await requireKeyStore(pool, keyStore, 0);
      const db = await pool.connect();
      try {
        const keyDb = keyStore.isSeparate ? keyStore.pool : db;
        return await work({ db, keyDb, store, storage, configDir, keys: createKeyRing(salts), signal });
      } finally {
        // The session may have been made read-only: nobody takes it over.
        db.release(true);
      }
    });
  } finally {
    store.close();
  }
}

/** True for what PostgreSQL and the object store answer when they refuse something. */
function isServerAnswer(error: unknown): boolean {
  return error instanceof Error && ('$metadata' in error || 'severity' in error);
}

/**
 * Runs a transform with the database, the object store and the keys of a transformer's environment, inside the residency
 * policy.
 *
 * @param buckets that are read besides the configured ones.
 * @throws {CliError} for everything that a person can mend.
 */
export async function withTransformTools<T>(
  config: () => ServiceConfig,
  buckets: readonly string[],
  signal: AbortSignal,
  work: (tools: TransformTools) => Promise<T>,
): Promise<T> {
  try {
    return await useTools(config(), buckets, signal, work);
  } catch (error) {
    if (error instanceof BackfillError) throw new CliError(error.message, [], { cause: error });
    if (isDependencyUnavailable(error)) {
      const next = 'Start the stack: npm start (DATABASE_URL and S3_ENDPOINT point to another one)';
      throw new CliError(`A server cannot be reached: ${describeError(error)}`, [next], { cause: error });
    }
    if (isServerAnswer(error)) throw new CliError(describeError(error), [], { cause: error });
    throw error;
  }
}
