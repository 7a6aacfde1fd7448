import type { Client } from '@backfill/core/db/pool';
import { getBatch } from '@backfill/core/db/queries/batch-get';
import {
  holdReplacedBatch,
  listConcernedByReplacement,
  replaceRows,
  setReplaced,
  tryHoldSource,
  withdrawLive,
} from '@backfill/core/db/queries/replace-rows';
import { enqueueOpenWork } from '@backfill/core/dispatch/change-status';
import { recallBatches } from '@backfill/core/dispatch/recall-batches';
import { replacementProblem } from '@backfill/core/domain/replacement';
import { DeferError, FatalError } from '@backfill/core/errors';
import { OutdatedError, type PublishWork } from './publish-work.ts';

/** What a publish has taken out of sight. */
export interface ReplacedTarget {
  replaced: number;
  /** Rows that had come, or gone, since the signatures. */
  replaced_since: number;
}

const NOTHING: ReplacedTarget = { replaced: 0, replaced_since: 0 };

const SOURCE_HELD_DELAY_MS = 1_000;

/**
 * First of a publish that replaces something: what a rollback gives back meanwhile would stay live beside the batch.
 *
 * @throws {DeferError} while a rollback or an erasure in the source, or another replacement, is under way.
 */
export async function holdReplacedSource(client: Client, { batchId, plan }: PublishWork): Promise<void> {
  if (plan.replaces === undefined || (await tryHoldSource(client, batchId))) return;
  throw new DeferError(`rows of the source of batch ${batchId} are being taken back or replaced`, SOURCE_HELD_DELAY_MS);
}

/**
 * Tombstones what the batch replaces, before its own rows are written. Of another batch that is exactly what was signed; of
 * live ingestion, which goes on, the policy lets a share have changed.
 *
 * @throws {OutdatedError} when it is not, or more has changed.
 */
export async function replaceTarget(client: Client, { batchId, plan }: PublishWork): Promise<ReplacedTarget> {
  const { replaces, policy } = plan;
  if (replaces === undefined) return NOTHING;
  const batch = await getBatch(client, batchId);
  if (batch === undefined) throw new FatalError(`batch ${batchId} is gone`);
  if ('batch_id' in replaces) {
    const problem = replacementProblem(batch, await holdReplacedBatch(client, replaces.batch_id));
    if (problem !== undefined) throw new OutdatedError(`what the batch replaces is not there any more: ${problem}`);
  }
  const { replaced_rows: signed, replaced_fingerprint: fingerprint, replaced_at: at } = batch;
  if (signed === null || at === null) throw new OutdatedError('what the batch replaces was not measured');
  const { replaced, arrived, ...found } = await replaceRows(client, batchId, at);
  // Also what came under an older time: a transaction's, that was under way then.
  const others = Math.abs(signed - (replaced - arrived));
  const changed = found.fingerprint === fingerprint ? 0 : Math.max(1, arrived + others);
  const allowed = 'live' in replaces ? policy.gates.max_overlap * signed : 0;
  if (changed > allowed) {
    throw new OutdatedError(`${changed} of the ${signed} rows that it replaces have changed since the verification`);
  }
  return { replaced, replaced_since: changed };
}

/** Books that the target has nothing any more, once the batch has taken its keys; others may publish what nobody has now. */
export async function bookReplacement(client: Client, { batchId, plan }: PublishWork): Promise<void> {
  const { replaces } = plan;
  if (replaces === undefined) return;
  const target = 'batch_id' in replaces ? replaces.batch_id : null;
  if (target === null) await withdrawLive(client, batchId);
  else await setReplaced(client, target, batchId);
  const concerned = await listConcernedByReplacement(client, batchId, target);
  await recallBatches(client, concerned, `${batchId} replaced ${target ?? 'live events'}`);
  // Its report says so from now on.
  const replaced = target === null ? undefined : await getBatch(client, target);
  if (replaced !== undefined) await enqueueOpenWork(client, replaced);
}
