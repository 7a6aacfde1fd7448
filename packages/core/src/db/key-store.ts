import type { Pool } from './pool.ts';

/** The dedup store: who has claimed which event. */
export interface KeyStore {
  /** The database of the keys; the events' own pool when they share one. */
  readonly pool: Pool;
  /** True when the keys are in another database than the events, so that a transaction over both needs two phases. */
  readonly isSeparate: boolean;
}
