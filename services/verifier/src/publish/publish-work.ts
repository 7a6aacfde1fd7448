import type { BatchFence } from '@backfill/core/db/queries/batch-fence';
import type { PublishRow } from '@backfill/core/db/queries/publish-steps';
import type { BatchReader } from '@backfill/core/dispatch/read-for-batch';
import type { Plan } from '@backfill/core/plan/plan';
import type { Runtime } from '@backfill/core/runtime/runtime';

/** Whom the transactions of a publish name as their actor. */
export const ACTOR = 'verifier';

/** What the steps of a publish work with. */
export interface PublishWork {
  runtime: Runtime;
  batchId: string;
  plan: Plan;
  publish: PublishRow;
  fence: BatchFence;
  read: BatchReader;
  signal: AbortSignal;
}

/** What was signed does not hold any more: the batch has to be measured anew. */
export class OutdatedError extends Error {
  override name = 'OutdatedError';
  /** Of the incident to raise, where somebody has to look into how that came. */
  readonly incident: string | undefined;

  constructor(message: string, incident?: string) {
    super(message);
    this.incident = incident;
  }
}
