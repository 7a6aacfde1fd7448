import type { ServiceConfig } from '@backfill/core/config/environment';
import { type BackfillConfig, loadConfigDir } from '@backfill/core/config/load-config';
import { createRuntime, type Runtime } from '@backfill/core/runtime/runtime';

/** Everything that the API works with. */
export interface ApiContext extends Runtime {
  /** Reads the configuration directory as it is now. @throws {ConfigError} naming every mistake. */
  loadConfig(): Promise<BackfillConfig>;
}

/** Builds what the API needs from its configuration. */
export function createApiContext(config: ServiceConfig, overrides: Partial<ApiContext> = {}): ApiContext {
  return { ...createRuntime(config), loadConfig: () => loadConfigDir(config.configDir), ...overrides };
}
