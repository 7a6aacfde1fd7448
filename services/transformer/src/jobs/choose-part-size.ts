import { getCanaryState } from '@backfill/core/db/queries/canary-get';
import type { Chunk } from '@backfill/core/db/queries/chunk-get';
import { canaryPartLines } from '@backfill/core/domain/canary';
import { StaleWorkError } from '@backfill/core/errors';
import type { PartSize } from '@backfill/core/transform/cut-parts';
import type { TransformerContext } from '../context.ts';

/**
 * How large a chunk's next part is, and whether it belongs to the canary. Asks the ledger, so that two processes at the
 * same chunk cut alike, and a restarted one goes on as the first would have.
 *
 * @throws {StaleWorkError} when the batch is gone.
 */
export async function choosePartSize(context: TransformerContext, chunk: Chunk, partNo: number): Promise<PartSize> {
  const { partLines } = context.config;
  const canary = await getCanaryState(context.pool, chunk.batch_id, { chunkNo: chunk.chunk_no, partNo });
  if (canary === undefined) throw new StaleWorkError(`batch ${chunk.batch_id} is unknown`);
  const lines = canary.status === 'canary' ? canaryPartLines(canary, canary.wanted) : undefined;
  if (lines === undefined) return { isCanary: false, maxLines: partLines };
  return { isCanary: true, maxLines: Math.min(lines, partLines) };
}
