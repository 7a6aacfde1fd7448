import type { ServiceConfig } from '@backfill/core/config/environment';
import { FatalError } from '@backfill/core/errors';
import { createKeyRing, type KeyRing } from '@backfill/core/recipe/key-ring';
import { createRuntime, type Runtime } from '@backfill/core/runtime/runtime';

const MIN_SALT_BYTES = 16;

export interface TransformerContext extends Runtime {
  /** `analytics_salt`, by key version. */
  readonly keys: KeyRing;
}

/**
 * Everything the transformer works with.
 *
 * @throws {FatalError} without a salt, or with a short one: pseudonyms cannot be made then, and nothing may pass without.
 */
export function createContext(config: ServiceConfig): TransformerContext {
  const { salts } = config;
  if (salts === undefined || [...salts.values()].some((salt) => salt.length < MIN_SALT_BYTES)) {
    throw new FatalError(
      `Set ANALYTICS_SALT_FILE (or ANALYTICS_SALT) to a secret of at least ${MIN_SALT_BYTES} bytes per key version.`,
    );
  }
  return { ...createRuntime(config), keys: createKeyRing(salts) };
}
