import { loadPolicy } from '@backfill/core/config/load-policy';
import type { RetentionJob } from '@backfill/core/contracts/maintenance';
import { crashPoint } from '@backfill/core/crash-point';
import {
  listEventPartitions,
  listRetentionBatches,
  readDatabaseClock,
} from '@backfill/core/db/queries/retention-facts';
import {
  beginRetentionRun,
  endRetentionRun,
  listOpenRetentionRuns,
  type OverAge,
  requestRetentionRun,
  SCHEDULE,
} from '@backfill/core/db/queries/retention-runs';
import { withTransaction } from '@backfill/core/db/transaction';
import {
  DeferError,
  describeError,
  describeReason,
  isDependencyUnavailable,
  StaleWorkError,
} from '@backfill/core/errors';
import { findOverAge } from '@backfill/core/retention/find-over-age';
import {
  aboutEventsDue,
  type EventPartition,
  eventsDue,
  planRetention,
  type RetentionBatch,
  type RetentionCutoffs,
} from '@backfill/core/retention/retention-rules';
import type { Runtime } from '@backfill/core/runtime/runtime';
import { expireArchive } from '../retention/expire-archive.ts';
import { expireEvents } from '../retention/expire-events.ts';
import { expireKeys } from '../retention/expire-keys.ts';
import { expireRecords } from '../retention/expire-records.ts';
import { inRetentionOffice, type RetentionWork } from '../retention/retention-work.ts';
import { purgeStaging } from './purge-staging.ts';

const BUSY_DELAY_MS = 2_000;

export interface ExpireOptions {
  /** Ends the run between two deletions. */
  signal: AbortSignal;
  /** ms since 1970; the clocks when absent. */
  now?: number;
}

interface Facts {
  batches: RetentionBatch[];
  partitions: EventPartition[];
}

/** Works that do not depend on each other: what fails is told, and the others are done all the same. */
function createAttempts(work: RetentionWork, signal: AbortSignal) {
  const problems: string[] = [];
  const { logger } = work.runtime;
  return {
    problems,
    /** @returns false when it failed */
    async attempt(what: string, run: () => Promise<void>): Promise<boolean> {
      try {
        signal.throwIfAborted();
        await run();
        return true;
      } catch (error) {
        // A lost office, a database that is away: nothing else could be done either.
        await work.check();
        signal.throwIfAborted();
        const isLater =
          error instanceof DeferError || error instanceof StaleWorkError || isDependencyUnavailable(error);
        logger[isLater ? 'info' : 'error']({ what, error: describeError(error) }, 'not deleted in this run');
        problems.push(`${what}: ${describeReason(error)}`);
        return false;
      }
    },
  };
}

/** From before which moment all events are gone, where some partitions could not be treated; null: nobody can say. */
function goneBefore({ batches, partitions }: Facts, cutoffs: RetentionCutoffs, now: number, failed: Set<string>) {
  const left = partitions.filter(
    (one) => failed.has(one.leaf) || eventsDue(one, batches, cutoffs, now)?.mode === 'wait',
  );
  if (left.some(({ range }) => range === null)) return null;
  const starts = left.flatMap(({ range }) => (range === null ? [] : [range.from.getTime()]));
  return new Date(Math.min(cutoffs.events.getTime(), ...starts));
}

type Attempt = ReturnType<typeof createAttempts>['attempt'];

/** Deletes all that is due. */
async function expireDue(work: RetentionWork, attempt: Attempt): Promise<void> {
  const { runtime, limits, now } = work;
  const facts = {
    batches: await listRetentionBatches(runtime.pool),
    partitions: await listEventPartitions(runtime.pool),
  };
  const { due, cutoffs } = planRetention(facts, limits, now);
  const failed = new Set<string>();
  await attempt('staging', () => purgeStaging(runtime));
  for (const item of due) {
    if (item.kind === 'archive' || item.kind === 'snapshots') {
      await attempt(`${item.kind} of ${item.batchId}`, () => expireArchive(work, item));
    } else if (item.kind === 'events') {
      if (!(await attempt(item.leaf, () => expireEvents(work, item)))) failed.add(item.leaf);
    }
  }
  // In step: what is about events that are still there stays.
  const before = goneBefore(facts, cutoffs, now, failed);
  const about = before === null ? [] : aboutEventsDue(facts.batches, before, now);
  for (const item of about) {
    if (before !== null && item.kind === 'keys') {
      await attempt(`keys of ${item.source}`, () => expireKeys(work, item, before));
    } else if (item.kind === 'records') {
      await attempt(`records of ${item.batchId}`, () => expireRecords(work, item));
    }
  }
}

async function runOnce(runtime: Runtime, runId: number, check: () => Promise<void>, options: ExpireOptions) {
  const { pool, config, logger } = runtime;
  const run = await beginRetentionRun(pool, runId);
  if (run === undefined) return;
  crashPoint('retention:begun');
  const { retention: limits } = await loadPolicy(config.configDir);
  // A clock that is ahead would delete what is not due: both have to agree.
  const now = options.now ?? Math.min(Date.now(), await readDatabaseClock(pool));
  const stopOr = async () => {
    options.signal.throwIfAborted();
    await check();
  };
  const work = { runtime, run, limits, now, check: stopOr };
  const { cutoffs } = planRetention({ batches: [], partitions: [] }, limits, now);
  const { attempt, problems } = createAttempts(work, options.signal);
  await expireDue(work, attempt);
  let overAge: OverAge | null = null;
  await attempt(`objects of ${config.storage.rawBucket} that are past their limit`, async () => {
    overAge = await findOverAge(pool, runtime.store, config.storage.rawBucket, cutoffs.raw, options.signal);
    const { objects, bytes, oldest } = overAge;
    if (objects > 0) logger.warn({ objects, bytes, oldest }, 'objects of the raw bucket are past their limit');
  });
  await endRetentionRun(pool, runId, { problems, overAge });
  logger.info({ run: runId, problems: problems.length }, 'retention has run');
}

/**
 * Deletes what is past its time by the policy, with a receipt for everything. One process at a time; safe to repeat and to
 * be cut off anywhere.
 *
 * @throws {DeferError} when the run was asked for and another one is under way
 */
export async function expireByPolicy(runtime: Runtime, job: RetentionJob, options: ExpireOptions): Promise<void> {
  const { pool } = runtime;
  const done = await inRetentionOffice(pool, async (check) => {
    const open = job.run_id === undefined ? await listOpenRetentionRuns(pool) : [job.run_id];
    const [
      runId = await withTransaction(
        pool,
        SCHEDULE,
        async (client) => (await requestRetentionRun(client, SCHEDULE)).run_id,
      ),
    ] = open;
    await runOnce(runtime, runId, check, options);
  });
  if (done === undefined && job.run_id !== undefined) {
    throw new DeferError(`retention run ${job.run_id} waits for the one under way`, BUSY_DELAY_MS);
  }
}
