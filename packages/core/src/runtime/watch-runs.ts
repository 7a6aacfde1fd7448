import { beginOutboxRun, endOutboxRun } from '../db/queries/outbox-run.ts';
import { CrashLoopError, describeError } from '../errors.ts';
import type { JobContext } from '../queue/consumer.ts';
import { withRequestId } from '../request-scope.ts';
import type { Runtime } from './runtime.ts';

/**
 * After so many deaths in a row the job is taken to be what kills its processes. Many, because whoever runs beside such
 * a job dies with it, and because operators and kernels kill now and then; a job that gets on is never counted.
 */
export const MOST_LOST_RUNS = 20;

/**
 * Runs a job on behalf of the request that it goes back to, and counts in the outbox how often its process died over it:
 * Redis would repeat it for ever.
 *
 * @throws {CrashLoopError} instead of running it, when that was too often.
 */
export async function watchRun(
  { pool, logger }: Pick<Runtime, 'pool' | 'logger'>,
  job: JobContext,
  run: () => Promise<void>,
): Promise<void> {
  const { jobId } = job;
  try {
    const begun = await beginOutboxRun(pool, jobId);
    job.outboxId = begun?.outbox_id;
    const lost = begun?.lost ?? 0;
    if (lost >= MOST_LOST_RUNS) {
      throw new CrashLoopError(
        `the process that ran the job ${jobId} died ${lost} times in a row without getting on. Find in its logs, or in ` +
          "the machine's, what it dies of, mend it, then resume",
      );
    }
    if (lost > 0) logger.warn({ lost }, 'job begins again: its process died, or lost it');
    job.requestId = begun?.request_id ?? undefined;
    await withRequestId(job.requestId, run);
  } catch (error) {
    // Whatever it is, the process lives. A count that stays is made good by the next run that ends.
    await endOutboxRun(pool, jobId).catch((cause: unknown) =>
      logger.info({ error: describeError(cause) }, 'end of a run not noted'),
    );
    throw error;
  }
}
