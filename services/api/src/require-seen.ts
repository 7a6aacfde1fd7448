import type { Queryable } from '@backfill/core/db/pool';
import type { BatchRow } from '@backfill/core/db/queries/batch-get';
import { getGateNumbersByHash, getPlanByHash } from '@backfill/core/db/queries/signed-document';
import { describeGateChanges } from '@backfill/core/domain/gate-changes';
import { describePlanChanges } from '@backfill/core/plan/plan-changes';
import { Problem } from './problem.ts';

/** What somebody has looked at who approves: they say so by its hash. */
export interface Seen {
  plan_hash?: string | undefined;
  gate_set_hash?: string | undefined;
}

async function planChanges(db: Queryable, { batch_id }: BatchRow, seen: string, now: string): Promise<string[]> {
  const [from, to] = [await getPlanByHash(db, batch_id, seen), await getPlanByHash(db, batch_id, now)];
  if (from === undefined || to === undefined) return ['the batch never had that one'];
  return describePlanChanges(from, to);
}

async function gateChanges(db: Queryable, { batch_id }: BatchRow, seen: string, now: string): Promise<string[]> {
  const from = await getGateNumbersByHash(db, batch_id, seen);
  const to = await getGateNumbersByHash(db, batch_id, now);
  if (from === undefined || to === undefined) return ['the batch never had that one'];
  const changes = describeGateChanges(from, to);
  return changes.length === 0 ? ['the plan, the figures behind a gate, or which rows are to be published'] : changes;
}

/** @throws {Problem} 409 with what has changed, when what was looked at is not what would be signed. */
export async function requireSeen(db: Queryable, batch: BatchRow, seen: Seen): Promise<void> {
  const { plan_hash: plan, gate_set_hash: gates } = seen;
  if (plan !== undefined && plan !== batch.plan_hash) {
    if (batch.plan_hash === null) throw new Problem('conflict', 'The batch has no plan now: it is planned anew.');
    const changes = await planChanges(db, batch, plan, batch.plan_hash);
    throw new Problem(
      'conflict',
      `The plan is another one now, ${batch.plan_hash}. What changed: ${changes.join('; ')}.`,
    );
  }
  if (gates !== undefined && gates !== batch.gate_set_hash) {
    if (batch.gate_set_hash === null) throw new Problem('conflict', 'The batch has no gate results now.');
    const changes = await gateChanges(db, batch, gates, batch.gate_set_hash);
    throw new Problem(
      'conflict',
      `The gate results are others now, ${batch.gate_set_hash}. What changed: ${changes.join('; ')}.`,
    );
  }
}
