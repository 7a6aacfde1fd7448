import { getCanaryState } from '@backfill/core/db/queries/canary-get';
import type { Chunk } from '@backfill/core/db/queries/chunk-get';
import { canaryPartLines } from '@backfill/core/domain/canary';
import { StaleWorkError } from '@backfill/core/errors';
import type { Plan } from '@backfill/core/plan/plan';
import type { KeyedRuntime } from '@backfill/core/runtime/keyed-runtime';
import type { PartSize } from '@backfill/core/transform/cut-parts';

/** Lines of a part, however low the batch's rate is. */
const LEAST_LINES = 1_000;

/**
 * How large a chunk's next part is, and whether it belongs to the canary. Asks the ledger, so that two processes at the
 * same chunk cut alike, and a restarted one goes on as the first would have.
 *
 * @throws {StaleWorkError} when the batch is gone.
 */
export async function choosePartSize(
  context: KeyedRuntime,
  chunk: Chunk,
  plan: Plan,
  partNo: number,
): Promise<PartSize> {
  // A part is imported at one go: a batch with a rate takes about a second's events at a time.
  const rate = plan.policy.import_events_per_second;
  const partLines = Math.min(context.config.partLines, rate === undefined ? Infinity : Math.max(rate, LEAST_LINES));
  const canary = await getCanaryState(context.pool, chunk.batch_id, { chunkNo: chunk.chunk_no, partNo });
  if (canary === undefined) throw new StaleWorkError(`batch ${chunk.batch_id} is unknown`);
  const lines = canary.status === 'canary' ? canaryPartLines(canary, canary.wanted) : undefined;
  if (lines === undefined) return { isCanary: false, maxLines: partLines };
  return { isCanary: true, maxLines: Math.min(lines, partLines) };
}
