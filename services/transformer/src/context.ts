import { createSecretKey, type KeyObject } from 'node:crypto';
import type { ServiceConfig } from '@backfill/core/config/environment';
import { FatalError } from '@backfill/core/errors';
import { createRuntime, type Runtime } from '@backfill/core/runtime/runtime';

export interface TransformerContext extends Runtime {
  /** `analytics_salt`, as an HMAC key. */
  readonly salt: KeyObject;
}

/**
 * Everything the transformer works with.
 *
 * @throws {FatalError} without a salt: pseudonyms cannot be made then, and nothing may pass without.
 */
export function createContext(config: ServiceConfig): TransformerContext {
  if (config.salt === undefined || config.salt.length < 16) {
    throw new FatalError('Set ANALYTICS_SALT_FILE (or ANALYTICS_SALT) to a secret of at least 16 bytes.');
  }
  return { ...createRuntime(config), salt: createSecretKey(config.salt) };
}
