import type { Pool } from '../db/pool.ts';
import { noteLateHorizons, sweepLateDeliveries } from '../db/queries/late-sweep.ts';
import { withTransaction } from '../db/transaction.ts';
import { describeError } from '../errors.ts';
import type { Logger } from '../observability/logger.ts';

/** Brings back what live ingestion delivered while a batch was taken back. */
export interface LateSweeper {
  /** Begins a round, unless one is under way. Does not wait for it. */
  kick(): void;
  /** Resolves when no round is under way. */
  rest(): Promise<void>;
}

async function sweepAll(pool: Pool, logger: Logger): Promise<void> {
  await noteLateHorizons(pool);
  for (;;) {
    const sweep = await withTransaction(pool, 'reconciler', sweepLateDeliveries);
    if (sweep === undefined) return;
    if (sweep.events > 0) logger.warn({ batch: sweep.batch_id, events: sweep.events }, 'late deliveries are live');
  }
}

/**
 * Builds the sweeper, which the dispatcher in office drives. It works beside it: a rollback is looked through by its whole
 * window, which takes its time. Any number may work at once.
 */
export function createLateSweeper({ pool, logger }: { pool: Pool; logger: Logger }): LateSweeper {
  let round: Promise<void> | undefined;

  async function run(): Promise<void> {
    try {
      await sweepAll(pool, logger);
    } catch (error) {
      logger.warn({ error: describeError(error) }, 'rollbacks cannot be looked through for late deliveries');
    }
    round = undefined;
  }

  return {
    kick() {
      round ??= run();
    },
    async rest() {
      await round;
    },
  };
}
