import type { Pool } from '../db/pool.ts';
import { type BatchFence, checkBatchFence } from '../db/queries/batch-fence.ts';
import { StaleWorkError } from '../errors.ts';

const LOOK_EVERY_MS = 1_000;

/**
 * Runs long work under an abort signal that goes up when the batch is stopped or the service stops, so that no stream
 * outlives its reason. Only a courtesy: what may be committed is decided inside the transactions.
 */
export async function withFenceWatch<T>(
  pool: Pool,
  fence: BatchFence,
  serviceSignal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const stopped = new AbortController();
  const timer = setInterval(() => {
    checkBatchFence(pool, fence).catch((error: unknown) => {
      if (error instanceof StaleWorkError) stopped.abort(error);
    });
  }, LOOK_EVERY_MS);
  try {
    return await work(AbortSignal.any([stopped.signal, serviceSignal]));
  } catch (error) {
    // Streams fail in many ways when they are aborted; the reason is what counts.
    if (stopped.signal.aborted) throw stopped.signal.reason;
    throw error;
  } finally {
    clearInterval(timer);
  }
}
