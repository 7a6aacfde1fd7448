import type { Client } from '../db/pool.ts';
import type { BatchRow } from '../db/queries/batch-get.ts';

/** Which batch, and for whom. */
export interface BatchToErase {
  batch: BatchRow;
  erasureId: number;
  pseudonyms: readonly string[];
  /**
   * Holds the batch as it was found until the transaction ends.
   *
   * @throws {StaleWorkError} when it has moved on
   */
  hold(client: Client): Promise<void>;
}

/** One attempt at it: others may be at it too, as one that is frozen. */
export interface ErasureAttempt extends BatchToErase {
  /** A UUID, in the names of what it prepares: nobody else ever writes these objects. */
  name: string;
}
