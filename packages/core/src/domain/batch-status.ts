/** Every status a batch can have, in the order of its journey. */
export const BATCH_STATUSES = [
  'submitted',
  'planning',
  'awaiting_run_approval',
  'preparing',
  'canary',
  'importing',
  'verifying',
  'gates_failed',
  'awaiting_publish_approval',
  'publishing',
  'published',
  'halted',
  'rolling_back',
  'rolled_back',
  'failed',
] as const;
export type BatchStatus = (typeof BATCH_STATUSES)[number];

/** Statuses in which a batch waits for a person, or for nobody: nothing will move without a call from outside. */
export const RESTING_STATUSES: readonly BatchStatus[] = [
  'awaiting_run_approval',
  'gates_failed',
  'awaiting_publish_approval',
  'published',
  'halted',
  'rolled_back',
  'failed',
];

/**
 * Where a halted or failed batch goes on. A plan that failed is made anew, since the input may have been mended;
 * everything later continues where it was.
 */
export function resumeTarget(resumeStatus: BatchStatus | null): BatchStatus {
  return resumeStatus === null || resumeStatus === 'submitted' ? 'planning' : resumeStatus;
}
