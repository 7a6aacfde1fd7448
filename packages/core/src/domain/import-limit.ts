import type { BatchStatus } from './batch-status.ts';

/** Statuses in which nothing of a batch is imported yet. */
export const BEFORE_IMPORT: readonly BatchStatus[] = ['submitted', 'planning', 'awaiting_run_approval', 'preparing'];

/** True when the batch was halted by nothing but its import limit: its canary passed, and the rest waits for a person. */
export function restsAtLimit(batch: {
  status: BatchStatus;
  import_limit: number | null;
  canary_passed: boolean | null;
}): boolean {
  return batch.status === 'halted' && batch.import_limit !== null && batch.canary_passed === true;
}
