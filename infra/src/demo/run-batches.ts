import { batchPath } from '@backfill/core/client/api-client';
import type { BatchDetail } from '@backfill/core/client/batch-view';
import { watchBatches } from '@backfill/core/client/watch-batches';
import type { BatchStatus } from '@backfill/core/domain/batch-status';
import type { KpiReference } from '@backfill/core/domain/kpi';
import { nextSteps } from '@backfill/core/text/next-steps';
import type { DemoContext } from './demo-context.ts';
import { DemoError } from './demo-error.ts';
import { type DemoRun, lostDay } from './demo-run.ts';

/** No step of the demo takes this long on a machine that can run it. */
const STALLED_MS = 300_000;

export interface Submission {
  batchId: string;
  source: string;
  input: string;
  /** What others have counted. */
  references: KpiReference[];
}

/** Submits batches over the lost day and waits for their plans. */
export async function submitBatches(
  context: DemoContext,
  run: DemoRun,
  submissions: readonly Submission[],
): Promise<BatchDetail[]> {
  const { startMs, endMs } = lostDay(run);
  const window = { start: new Date(startMs).toISOString(), end: new Date(endMs).toISOString() };
  for (const { batchId, source, input, references } of submissions) {
    const body = { batch_id: batchId, source, reason: 'outage', input, window, references, ticket: 'demo' };
    await context.api('submitter').post('/v1/batches', body);
  }
  const batchIds = submissions.map(({ batchId }) => batchId);
  return watchUntil(context, batchIds, 'awaiting_run_approval');
}

/** Signs the plans, which starts the work, and waits for the figures to sign. */
export async function runBatches(context: DemoContext, batches: readonly BatchDetail[]): Promise<BatchDetail[]> {
  for (const batch of batches) await signAll(context, batch, 'run');
  return watchUntil(context, idsOf(batches), 'awaiting_publish_approval');
}

/** Signs the figures, publishes and waits until readers see the events. */
export async function publishBatches(context: DemoContext, batches: readonly BatchDetail[]): Promise<BatchDetail[]> {
  for (const batch of batches) {
    await signAll(context, batch, 'publish');
    await context.api('operator').post(batchPath(batch.batch_id, '/publish'), {});
  }
  return watchUntil(context, idsOf(batches), 'published');
}

/** Every role that is asked for says yes, each with its own token. */
async function signAll(context: DemoContext, batch: BatchDetail, stage: 'run' | 'publish'): Promise<void> {
  for (const role of batch.missing_approvals?.[stage] ?? []) {
    const approval = { stage, role, decision: 'approve', comment: 'demo' };
    await context.api(role).post(batchPath(batch.batch_id, '/approvals'), approval);
    context.say(`  ${role} signs the ${stage} of ${batch.batch_id}`);
  }
}

/**
 * Shows the batches until they rest.
 *
 * @throws {DemoError} when one of them rests elsewhere than it should.
 */
async function watchUntil(
  context: DemoContext,
  batchIds: readonly string[],
  status: BatchStatus,
): Promise<BatchDetail[]> {
  const { out, signal } = context;
  const stalled = AbortSignal.timeout(STALLED_MS);
  const watched = watchBatches(context.api('viewer'), batchIds, out, AbortSignal.any([signal, stalled]));
  const batches = await watched.catch((error: unknown) => {
    if (!stalled.aborted) throw error;
    throw new DemoError(`Nothing moves any more. See the logs of the services, in logs/ of the state directory.`);
  });
  const astray = batches.filter((batch) => batch.status !== status);
  if (astray.length === 0) return batches;
  const lines = astray.flatMap((batch) => [
    `${batch.batch_id} is ${batch.status}, not ${status}: ${batch.status_reason ?? 'no reason given'}`,
    ...nextSteps(batch).map((step) => `  ${step}`),
  ]);
  throw new DemoError(lines.join('\n'));
}

function idsOf(batches: readonly BatchDetail[]): string[] {
  return batches.map(({ batch_id }) => batch_id);
}
