import type { Client } from '@backfill/core/db/pool';
import { listApprovals } from '@backfill/core/db/queries/approval-list';
import { getBatch } from '@backfill/core/db/queries/batch-get';
import { listGateResults } from '@backfill/core/db/queries/gate-result-list';
import { missingRoles } from '@backfill/core/domain/approvals';
import { gateSetHash } from '@backfill/core/domain/gate-set';
import { FatalError } from '@backfill/core/errors';
import { planHash } from '@backfill/core/plan/plan';
import { OutdatedError, type PublishWork } from './publish-work.ts';

/** The kind of the incident that is raised where stored results are not those that were signed. */
const RESULTS_CHANGED = 'signed_results_changed';

/**
 * Holds what is stored of the plan, the gates and the rows against what was signed: whoever owns the tables can write into
 * them behind every trigger.
 *
 * @throws {FatalError} when the plan is not the approved one: no measurement by it could be believed.
 * @throws {OutdatedError} when the gate results, the digest of the rows or the hash of both are not what was signed, or
 *   somebody has not signed.
 */
export async function requireSigned(client: Client, { batchId, plan, publish }: PublishWork): Promise<void> {
  const batch = await getBatch(client, batchId);
  if (batch?.plan_hash == null || planHash(plan) !== batch.plan_hash) {
    throw new FatalError('the stored plan is not the one that was approved');
  }
  const { plan_hash, gate_set_hash: signed, rows_digest: rowsDigest } = batch;
  const results = await listGateResults(client, [batchId]);
  if (gateSetHash({ planHash: plan_hash, results, rowsDigest }) !== signed) {
    throw new OutdatedError('the stored gate results are not the ones that were signed', RESULTS_CHANGED);
  }
  if (publish.gate_set_hash !== signed) {
    throw new OutdatedError('the go was for other gate results than the batch has', RESULTS_CHANGED);
  }
  if (results.some(({ passed }) => !passed)) throw new OutdatedError('not all gates of the last measurement passed');
  const approvals = await listApprovals(client, [batchId]);
  const missing = missingRoles(plan.policy.approvals.publish, approvals, 'publish', signed);
  if (missing.length > 0) throw new OutdatedError(`publish approvals are missing: ${missing.join(', ')}`);
}
