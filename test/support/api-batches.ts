import { withTransaction } from '@backfill/core/db/transaction';
import { changeStatus } from '@backfill/core/dispatch/change-status';
import type { BatchStatus } from '@backfill/core/domain/batch-status';
import type { ApiAnswer, TestApi } from './api.ts';

export const RUN_ROLES = ['data_privacy_officer', 'legal_counsel_privacy'];
export const PUBLISH_ROLES = ['data_engineering_lead', 'product_analytics_manager'];

/** Brings batches where a test wants them, through the API where it can, without any worker. */
export function createApiBatches(api: TestApi) {
  const submission = (batchId: string) => ({
    batch_id: batchId,
    source: 'app',
    reason: 'outage',
    input: `s3://${api.rawBucket}/${batchId}/`,
    window: { start: '2026-11-01T00:00:00Z', end: '2026-11-02T00:00:00+01:00' },
  });

  async function submit(batchId: string): Promise<void> {
    const answer = await api.call('POST', '/v1/batches', 'submitter', submission(batchId));
    if (answer.status !== 202) throw new Error(`submitting answered ${answer.status} ${answer.text}`);
  }

  async function walk(batchId: string, ...path: BatchStatus[]): Promise<void> {
    for (const [index, to] of path.slice(1).entries()) {
      const change = { batchId, from: [path[index] as BatchStatus], to };
      await withTransaction(api.context.pool, 'test', (client) => changeStatus(client, change));
    }
  }

  /** As a service would: by hand these columns are guarded. */
  async function setHash(batchId: string, column: 'plan_hash' | 'gate_set_hash', hash: string): Promise<void> {
    await withTransaction(api.context.pool, 'test', (client) =>
      client.query(`update analytics.backfill_batches set ${column} = $2 where batch_id = $1`, [batchId, hash]),
    );
  }

  async function plan(batchId: string, planHash = 'plan-1'): Promise<void> {
    const document = { policy: { approvals: { run: RUN_ROLES, publish: PUBLISH_ROLES } } };
    await api.sql.query(
      `insert into analytics.backfill_plans (batch_id, attempt, plan_hash, recipe_hash, plan)
       values ($1, 1, $2, 'r', $3)`,
      [batchId, planHash, document],
    );
    await setHash(batchId, 'plan_hash', planHash);
  }

  async function planned(batchId: string): Promise<void> {
    await submit(batchId);
    await plan(batchId);
    await walk(batchId, 'submitted', 'planning', 'awaiting_run_approval');
  }

  async function setGateSet(batchId: string, gateSetHash: string): Promise<void> {
    await setHash(batchId, 'gate_set_hash', gateSetHash);
  }

  async function verified(batchId: string): Promise<void> {
    await planned(batchId);
    await walk(batchId, 'awaiting_run_approval', 'preparing', 'canary', 'importing', 'verifying');
    await setGateSet(batchId, 'gates-1');
    await walk(batchId, 'verifying', 'awaiting_publish_approval');
  }

  function approve(batchId: string, token: string, change: object = {}): Promise<ApiAnswer> {
    const body = { stage: 'run', role: token, decision: 'approve', ...change };
    return api.call('POST', `/v1/batches/${batchId}/approvals`, token, body);
  }

  async function show(batchId: string): Promise<Record<string, unknown>> {
    return (await api.call('GET', `/v1/batches/${batchId}`, 'viewer')).json;
  }

  return { submission, submit, walk, plan, planned, setGateSet, verified, approve, show };
}
