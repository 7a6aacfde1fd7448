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

/** Statuses in which something works for the batch, or will without a call from outside. */
export const WORKING_STATUSES: readonly BatchStatus[] = [
  'submitted',
  'planning',
  'preparing',
  'canary',
  'importing',
  'verifying',
  'publishing',
];

/** Statuses that can be halted: where something works or waits, as analytics.is_status_change_allowed() says. */
export const HALTABLE_STATUSES: readonly BatchStatus[] = [
  ...WORKING_STATUSES,
  'awaiting_run_approval',
  'gates_failed',
  'awaiting_publish_approval',
];

/** Statuses before which nothing was taken from the input yet. */
const BEFORE_MIRROR: readonly BatchStatus[] = ['submitted', 'planning'];

/**
 * Where a halted or failed batch goes on: where it stopped. What failed before its input was safe in the mirror is
 * planned anew, since the input had to be mended.
 */
export function resumeTarget(status: 'halted' | 'failed', resumeStatus: BatchStatus | null): BatchStatus {
  if (resumeStatus === null || BEFORE_MIRROR.includes(resumeStatus)) return 'planning';
  return status === 'failed' && resumeStatus === 'preparing' ? 'planning' : resumeStatus;
}
