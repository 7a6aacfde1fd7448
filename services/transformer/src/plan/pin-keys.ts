import type { Policy } from '@backfill/core/config/policy';
import type { BatchRow } from '@backfill/core/db/queries/batch-get';
import { pinKeyCheck } from '@backfill/core/db/queries/key-check-pin';
import { FatalError } from '@backfill/core/errors';
import { otherKeyMessage, pinRecipeKeys, type RecipeKeys } from '@backfill/core/recipe/key-ring';
import type { KeyedRuntime } from '@backfill/core/runtime/keyed-runtime';

/**
 * Works out which keys a batch needs, and holds each against the check value of its first use ever.
 *
 * @throws {FatalError} when one is missing, or is not the key that the stored pseudonyms were made with.
 */
export async function pinKeys(
  context: KeyedRuntime,
  batch: BatchRow,
  policy: Policy,
  retentionCutoffMs: number | null,
): Promise<RecipeKeys> {
  const keys = recipeKeys(context, batch, policy, retentionCutoffMs);
  for (const [version, check] of Object.entries(keys.checks)) {
    if (await pinKeyCheck(context.pool, Number(version), check)) continue;
    throw new FatalError(otherKeyMessage(version));
  }
  return keys;
}

function recipeKeys(
  context: KeyedRuntime,
  batch: BatchRow,
  policy: Policy,
  retentionCutoffMs: number | null,
): RecipeKeys {
  try {
    return pinRecipeKeys(policy, context.keys, {
      windowStartMs: batch.window_start.getTime(),
      windowEndMs: batch.window_end.getTime(),
      retentionCutoffMs,
      nowMs: Date.now(),
    });
  } catch (error) {
    if (error instanceof RangeError) throw new FatalError(error.message);
    throw error;
  }
}
