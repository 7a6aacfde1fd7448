import type { Pool } from '@backfill/core/db/pool';
import { requestErasure } from '@backfill/core/db/queries/erasures';
import { withTransaction } from '@backfill/core/db/transaction';
import { Problem } from '../problem.ts';

/** Whoever asked waits for the answer, and so does everybody who writes suppressions after this one. */
const LOCK_TIMEOUT = '2s';
const RETRY_AFTER_SECONDS = 10;
/** PostgreSQL: lock_not_available. */
const LOCKED = '55P03';

/**
 * Suppresses a person and asks for their erasure. A publish or a restore that holds suppressions back is not waited for
 * longer than a moment.
 *
 * @param onBusy told after how many seconds to come again, before it is refused
 * @throws {Problem} 503 while suppressions are held back: nothing was stored
 */
export async function submitErasure(
  pool: Pool,
  request: Parameters<typeof requestErasure>[1],
  onBusy: (seconds: number) => void,
): ReturnType<typeof requestErasure> {
  try {
    return await withTransaction(pool, request.actor, async (client) => {
      await client.query(`select set_config('lock_timeout', '${LOCK_TIMEOUT}', true)`);
      return requestErasure(client, request);
    });
  } catch (error) {
    if ((error as { code?: unknown }).code !== LOCKED) throw error;
    onBusy(RETRY_AFTER_SECONDS);
    throw new Problem(
      'unavailable',
      `Rows are being published or restored, which nobody may change under it. Nothing was noted: try again in ${RETRY_AFTER_SECONDS} seconds.`,
      { cause: error },
    );
  }
}
