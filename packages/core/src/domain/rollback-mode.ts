/**
 * How a batch is taken back: `tombstone` all its stored events; `window` those in its window; `snapshot` all of them, and
 * what was live in its window before it was published comes back.
 */
export const ROLLBACK_MODES = ['tombstone', 'window', 'snapshot'] as const;
export type RollbackMode = (typeof ROLLBACK_MODES)[number];
