import type { Client, Pool } from '@backfill/core/db/pool';
import { listEventPartitions, listRetentionBatches } from '@backfill/core/db/queries/retention-facts';
import type { RetentionRun } from '@backfill/core/db/queries/retention-runs';
import { lend } from '@backfill/core/db/transaction';
import type { DueItem, RetentionLimits } from '@backfill/core/retention/retention-rules';
import { planRetention } from '@backfill/core/retention/retention-rules';
import type { Runtime } from '@backfill/core/runtime/runtime';

/** What every deletion of a run works with. */
export interface RetentionWork {
  runtime: Runtime;
  run: RetentionRun;
  limits: RetentionLimits;
  /** ms since 1970: what is past its time then goes. */
  now: number;
  /** To be awaited before anything is deleted: throws when this process is to stop, or has lost its office. */
  check(): Promise<void>;
}

/** Any constant does: whoever holds this advisory lock is the one owner of retention. */
const RETENTION_LOCK = 7_403_112_203;
/** An owner that is frozen for so long is none any more. */
const SILENT_FOR = '60s';

/**
 * Runs work as the one owner of retention.
 *
 * @param work gets what throws when the office is lost: with its session, or after too long a silence
 * @returns undefined when another one is in office
 */
export async function inRetentionOffice<T>(
  pool: Pool,
  work: (check: () => Promise<void>) => Promise<T>,
): Promise<{ result: T } | undefined> {
  return lend(
    pool,
    async (client) => {
      const { rows } = await client.query<{ held: boolean }>('select pg_try_advisory_lock($1) as held', [
        RETENTION_LOCK,
      ]);
      if (rows[0]?.held !== true) return undefined;
      await client.query(`select set_config('idle_session_timeout', '${SILENT_FOR}', false)`);
      const check = async () => void (await client.query('select 1'));
      // A long statement in another session is no silence.
      const alive = setInterval(() => void check().catch(() => undefined), 10_000);
      try {
        return { result: await work(check) };
      } finally {
        clearInterval(alive);
        // Whoever comes next must not wait for the end of the session, which the server sees later.
        await client.query('select pg_advisory_unlock($1)', [RETENTION_LOCK]).catch(() => undefined);
      }
    },
    { keep: false },
  );
}

/** What is due by what stands in the database now: asked again in the transaction that deletes. */
export async function readDue({ limits, now }: RetentionWork, client: Client): Promise<DueItem[]> {
  const batches = await listRetentionBatches(client);
  return planRetention({ batches, partitions: await listEventPartitions(client) }, limits, now).due;
}
