import type { ServiceConfig } from '../config/environment.ts';
import { FatalError } from '../errors.ts';
import { createKeyRing, type KeyRing } from '../recipe/key-ring.ts';
import { createRuntime, type Runtime } from './runtime.ts';

const MIN_SALT_BYTES = 16;

/** What services are built from that make pseudonyms: the transformer, and the verifier, which makes them again. */
export interface KeyedRuntime extends Runtime {
  /** `analytics_salt`, by key version. */
  readonly keys: KeyRing;
}

/**
 * Builds a service's dependencies, with the keys of pseudonyms.
 *
 * @throws {FatalError} without a salt, or with a short one: pseudonyms cannot be made then, and nothing may pass without.
 */
export function createKeyedRuntime(config: ServiceConfig): KeyedRuntime {
  return { ...createRuntime(config), keys: keyRingOf(config) };
}

/**
 * The keys of pseudonyms.
 *
 * @throws {FatalError} as {@link createKeyedRuntime} does.
 */
export function keyRingOf({ salts }: Pick<ServiceConfig, 'salts'>): KeyRing {
  if (salts === undefined || [...salts.values()].some((salt) => salt.length < MIN_SALT_BYTES)) {
    throw new FatalError(
      `Set ANALYTICS_SALT_FILE (or ANALYTICS_SALT) to a secret of at least ${MIN_SALT_BYTES} bytes per key version.`,
    );
  }
  return createKeyRing(salts);
}
