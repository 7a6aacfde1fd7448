import type { BatchStatus } from '@backfill/core/domain/batch-status';

const CALLS: Readonly<Partial<Record<BatchStatus, readonly string[]>>> = {
  awaiting_run_approval: ['approvals', 'rehearsal', 'rollback'],
  gates_failed: ['verify', 'rollback', 'escalations'],
  awaiting_publish_approval: ['approvals', 'publish', 'verify', 'rollback'],
  published: ['rollback'],
  halted: ['resume', 'rollback', 'escalations'],
  failed: ['resume', 'rollback', 'escalations'],
  rolled_back: ['resume'],
};

/** What can be called for a batch that waits for people; empty while the services work on it. */
export function nextCalls(batchId: string, status: BatchStatus): string[] {
  return (CALLS[status] ?? []).map((call) => `POST /v1/batches/${batchId}/${call}`);
}
