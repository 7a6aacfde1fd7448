import type { ErasureView } from '@backfill/core/client/erasure-view';
import type { Pool } from '@backfill/core/db/pool';
import { type ErasureRow, getErasure, isSearching, listErasureReceipts } from '@backfill/core/db/queries/erasures';
import { Problem } from './problem.ts';

function stateOf({ outcome, waiting_for: waitingFor }: ErasureRow): ErasureView['state'] {
  return outcome ?? (waitingFor.length > 0 ? 'waiting' : 'running');
}

/** @throws {Problem} 404 when there is no such erasure */
export async function readErasure(pool: Pool, erasureId: number): Promise<ErasureView> {
  const erasure = await getErasure(pool, erasureId);
  if (erasure === undefined) throw new Problem('not-found', 'There is no erasure with this number.');
  const receipts = await listErasureReceipts(pool, erasureId);
  const search = erasure.searched_at !== null ? 'done' : (await isSearching(pool, erasureId)) ? 'running' : 'lost';
  return {
    erasure_id: erasure.erasure_id,
    requested_by: erasure.requested_by,
    requested_at: erasure.requested_at.toISOString(),
    submitted_at: erasure.submitted_at.toISOString(),
    pseudonyms: erasure.pseudonyms.length,
    state: stateOf(erasure),
    waiting_for: erasure.waiting_for,
    search,
    ended_at: erasure.ended_at?.toISOString() ?? null,
    problems: erasure.problems,
    receipts: receipts.map(({ store, batch_id, rows, objects, first_at, last_at }) => ({
      ...{ store, batch_id: batch_id === '' ? null : batch_id, rows, objects },
      first_at: first_at.toISOString(),
      last_at: last_at.toISOString(),
    })),
  };
}
