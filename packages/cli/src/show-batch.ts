import { batchPath } from '@backfill/core/client/api-client';
import { type BatchDetail, batchDetailSchema } from '@backfill/core/client/batch-view';
import { followBatch, getBatch } from '@backfill/core/client/follow-batch';
import { watchBatches } from '@backfill/core/client/watch-batches';
import type { BatchStatus } from '@backfill/core/domain/batch-status';
import { restsAtLimit } from '@backfill/core/domain/import-limit';
import { formatBatch } from '@backfill/core/text/format-batch';
import { nextSteps } from '@backfill/core/text/next-steps';
import { CliError } from './cli-error.ts';
import type { Session } from './session.ts';

/** Statuses of a batch that rests because something is wrong. */
const BAD_RESTS: readonly BatchStatus[] = ['halted', 'failed', 'gates_failed'];

/** Prints one batch as it is now. */
export async function showBatch(session: Session, batchId: string): Promise<void> {
  const { body } = await session.client.get(batchPath(batchId));
  if (session.json) session.printJson(body);
  else printBatch(session, batchDetailSchema.parse(body));
}

/**
 * Shows batches live until all rest, then each of them in full. With `--json` one line per change instead.
 *
 * @throws {CliError} when one of them rests badly.
 */
export async function watchToRest(session: Session, batchIds: readonly string[]): Promise<void> {
  const rested = await watch(session, batchIds);
  if (!session.json) {
    for (const batch of rested) {
      session.print(['']);
      printBatch(session, batch);
    }
  }
  const bad = rested.filter((batch) => BAD_RESTS.includes(batch.status) && !restsAtLimit(batch));
  if (bad.length > 0) {
    throw new CliError(bad.map(({ batch_id, status }) => `${batch_id} is ${status}.`).join('\n'));
  }
}

async function watch(session: Session, batchIds: readonly string[]): Promise<BatchDetail[]> {
  const { env, stdout, stderr, signal } = session.context;
  // A terminal that cannot move its cursor gets lines.
  const out = env.TERM === 'dumb' ? { write: (text: string) => stdout.write(text) } : stdout;
  try {
    return session.json
      ? await printChanges(session, batchIds)
      : await watchBatches(session.client, batchIds, out, signal);
  } catch (error) {
    // Whoever ends the watching may think that it ends the batch.
    if (signal.aborted) {
      const calls = batchIds.map((id) => `  ./backfill status ${id} --watch\n`).join('');
      stderr.write(`Only the watching has ended; the work goes on. To watch again:\n${calls}`);
    }
    throw error;
  }
}

async function printChanges(session: Session, batchIds: readonly string[]): Promise<BatchDetail[]> {
  const { client, context } = session;
  const follow = async (batchId: string): Promise<BatchDetail> => {
    for await (const batch of followBatch(client, batchId, context.signal)) {
      context.stdout.write(`${JSON.stringify(batch)}\n`);
    }
    return getBatch(client, batchId);
  };
  return Promise.all(batchIds.map(follow));
}

function printBatch(session: Session, batch: BatchDetail): void {
  session.print([...formatBatch(batch), '', 'Next:', ...nextSteps(batch).map((step) => `  ${step}`)]);
}
