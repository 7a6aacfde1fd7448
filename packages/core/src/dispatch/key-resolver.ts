import type { KeyStore } from '../db/key-store.ts';
import { settleKeys } from '../db/key-transaction.ts';
import type { Pool } from '../db/pool.ts';
import { deleteOldDecisions } from '../db/queries/key-decision.ts';
import { listPreparedKeys } from '../db/queries/prepared-keys.ts';
import { describeError } from '../errors.ts';
import type { Logger } from '../observability/logger.ts';
import { freeReleasedKeys } from './free-keys.ts';

/** Younger ones are being finished by whoever prepared them. */
const IN_DOUBT_AFTER_SECONDS = 2;

/** Finishes what a crash has left between the two databases. */
export interface KeyResolver {
  /** Begins a round, unless one is under way or the keys are with the events. Does not wait for it. */
  kick(): void;
  /** Resolves when no round is under way. */
  rest(): Promise<void>;
}

interface ResolverOptions {
  pool: Pool;
  keyStore: KeyStore;
  logger: Logger;
}

/** True for keys that nobody is about to finish: the time may lie ahead when the clock was set back. */
export function isInDoubt(ageSeconds: number): boolean {
  return ageSeconds < 0 || ageSeconds >= IN_DOUBT_AFTER_SECONDS;
}

async function settleOld({ pool, keyStore, logger }: ResolverOptions): Promise<void> {
  const prepared = await listPreparedKeys(keyStore.pool);
  for (const { gid, batch_id, age_seconds } of prepared) {
    if (!isInDoubt(age_seconds)) continue;
    const fields = { batch: batch_id, gid, age_seconds };
    try {
      logger.warn({ ...fields, decision: await settleKeys(pool, keyStore, gid) }, 'keys were in doubt');
    } catch (error) {
      // Somebody may still be at it; the next round looks again.
      logger.warn({ ...fields, error: describeError(error) }, 'keys are in doubt');
    }
  }
  const open = prepared.map(({ gid }) => gid);
  await deleteOldDecisions(pool, open);
}

/**
 * Builds the resolver of doubt, which the dispatcher in office drives. It works beside it, on connections of the pools,
 * so that a dedup store that does not answer does not hold up the queues. Any number may work at once.
 */
export function createKeyResolver(options: ResolverOptions): KeyResolver {
  const { pool, keyStore, logger } = options;
  let round: Promise<void> | undefined;

  async function run(): Promise<void> {
    try {
      await settleOld(options);
      for (const freed of await freeReleasedKeys(pool, keyStore)) {
        logger.info(freed, 'the keys of a batch that was rolled back are free');
      }
    } catch (error) {
      logger.warn({ error: describeError(error) }, 'the dedup store cannot be looked after');
    }
    round = undefined;
  }

  return {
    kick() {
      if (keyStore.isSeparate) round ??= run();
    },
    async rest() {
      await round;
    },
  };
}
