import { createSecretKey } from 'node:crypto';
import path from 'node:path';
import { loadConfigDir } from '@backfill/core/config/load-config';
import { type KeyRing, pinRecipeKeys } from '@backfill/core/recipe/key-ring';
import { buildRecipe, type Recipe } from '@backfill/core/recipe/recipe';
import { BENCH_SOURCE, BENCH_WINDOW } from '../events/bench-events.ts';

/** A configuration with every kind of privacy rule, and one source. */
export const BENCH_CONFIG_DIR = path.join(import.meta.dirname, '../config');
export const BENCH_KEYS: KeyRing = new Map([[1, createSecretKey(Buffer.from('only for benchmarks, 32 bytes or'))]]);

/** The recipe that a batch of the generated events would be planned with. */
export async function loadBenchRecipe(): Promise<Recipe> {
  const config = await loadConfigDir(BENCH_CONFIG_DIR);
  const window = {
    windowStartMs: Date.parse(BENCH_WINDOW.start),
    windowEndMs: Date.parse(BENCH_WINDOW.end),
    retentionCutoffMs: null,
  };
  const keys = pinRecipeKeys(config.policy, BENCH_KEYS, { ...window, nowMs: window.windowEndMs });
  return buildRecipe(config, BENCH_SOURCE, { ...window, keys });
}
