import type { BatchJob } from '@backfill/core/contracts/batch-job';
import { crashPoint } from '@backfill/core/crash-point';
import { type ApprovalRow, listApprovals } from '@backfill/core/db/queries/approval-list';
import { avoidNestedLoops } from '@backfill/core/db/queries/avoid-nested-loops';
import { checkBatchFence, enterBatchFence } from '@backfill/core/db/queries/batch-fence';
import { getBatch, getBatchForStatusChange } from '@backfill/core/db/queries/batch-get';
import { type BatchProof, type RowsProof, setBatchProof } from '@backfill/core/db/queries/batch-set-proof';
import { insertGateResults } from '@backfill/core/db/queries/gate-result-insert';
import { listGateResults } from '@backfill/core/db/queries/gate-result-list';
import { insertIncident } from '@backfill/core/db/queries/incident-insert';
import { getPlan } from '@backfill/core/db/queries/plan-get';
import type { ReplacedRows } from '@backfill/core/db/queries/replaced-rows';
import { areRowsToPublishStale, markRowsToPublish } from '@backfill/core/db/queries/rows-to-publish';
import { listFilesOfParts } from '@backfill/core/db/queries/staged-sample-list';
import { withTransaction } from '@backfill/core/db/transaction';
import { changeStatus } from '@backfill/core/dispatch/change-status';
import { createBatchReader } from '@backfill/core/dispatch/read-for-batch';
import { withFenceWatch } from '@backfill/core/dispatch/watch-fence';
import type { GateResult } from '@backfill/core/domain/gate-result';
import { gateSetHash } from '@backfill/core/domain/gate-set';
import { withStrays } from '@backfill/core/erasure/with-strays';
import { DeferError, FatalError, StaleWorkError } from '@backfill/core/errors';
import type { Plan } from '@backfill/core/plan/plan';
import type { KeyedRuntime } from '@backfill/core/runtime/keyed-runtime';
import { listFileCounts, measureBalance } from '../gates/balance-gate.ts';
import { measureFreshness } from '../gates/freshness-gate.ts';
import { measureKpis } from '../gates/kpi-gates.ts';
import { MultisetHash } from '../gates/multiset-hash.ts';
import { measureOverlap, overlapThresholds } from '../gates/overlap-gates.ts';
import { recountGate, recountMirror } from '../gates/recount-gate.ts';
import { measureReplaces } from '../gates/replaces-gate.ts';
import { measureRows } from '../gates/row-gates.ts';
import { measureSample } from '../gates/sample-gate.ts';
import { orUnmeasured, orUnmeasuredOne, unmeasured } from '../gates/unmeasured-gate.ts';
import { measureVolume } from '../gates/volume-gate.ts';
import { inOrder, once } from '../in-order.ts';
import { applyOverrides } from '../kpi/apply-overrides.ts';
import { momentOfKpis } from '../kpi/moment-of-kpis.ts';
import { prepareRecount, type RecountContext } from '../recount/recount-context.ts';
import { writeReport } from '../report/write-report.ts';
import { SampleDraw } from '../sample/sample-draw.ts';
import { sideBySide } from '../side-by-side.ts';

const ACTOR = 'verifier';
const MEASURE_AGAIN_MS = 250;

const UNREAD_ROWS: RowsProof = { rowsDigest: null, checksum: null, rowCount: null, days: null };

interface Findings extends BatchProof {
  results: GateResult[];
}

async function measure(
  context: RecountContext,
  plan: Plan,
  { approvals, kpiMomentMs }: { approvals: ApprovalRow[]; kpiMomentMs: number },
  signal: AbortSignal,
): Promise<Findings> {
  const { read, planHash } = context;
  const { batchId, recipe } = plan;
  const { gates } = plan.policy;
  const ids = MultisetHash.pair();
  const sample = new SampleDraw({
    planHash,
    fileOfPart: await read((db) => listFilesOfParts(db, batchId)),
    isSuppressed: context.isSuppressed,
    maxEvents: gates.max_sample_events,
  });
  let rows = UNREAD_ROWS;
  let replaced: ReplacedRows | null = null;
  // Beside the rows, which keep this process busy: unpacking and counting others do.
  const [books, ofRows] = await sideBySide(signal, (watched) => {
    const mirror = once(() => recountMirror(context, ids.first, watched));
    const files = once(() => listFileCounts(read, batchId));
    const measured = inOrder([
      () => orUnmeasuredOne('balance', 0, async () => measureBalance(read, batchId, await files(), await mirror())),
      () => orUnmeasured(overlapThresholds(gates), () => measureOverlap(read, plan)),
      () => orUnmeasuredOne('volume', gates.volume, (allowed) => measureVolume(read, plan, allowed)),
      () => orUnmeasuredOne('freshness', gates.freshness_minutes, (allowed) => measureFreshness(read, plan, allowed)),
      () => measureKpis(read, plan, kpiMomentMs),
      () =>
        orUnmeasured(plan.replaces === undefined ? {} : { replaces: 0 }, async () => {
          const found = await measureReplaces(read, plan);
          replaced = found.replaced;
          return found.gates;
        }),
    ]);
    return [
      measured.then((results) => ({ results, mirror, files })),
      orUnmeasured({ schema: gates.schema, identity: 0 }, async () => {
        const given = {
          batchId,
          recipe,
          replaces: plan.replaces,
          minValidShare: gates.schema,
          ids: ids.second,
          sample,
        };
        const { gates: found, ...proof } = await measureRows(read, given, watched);
        rows = proof;
        return found;
      }),
    ];
  });
  const isStaged = rows.rowsDigest === null || ids.first.equals(ids.second);
  const recount = await orUnmeasuredOne('recount', 0, async () =>
    recountGate(await books.files(), await books.mirror(), isStaged),
  );
  const { rowsDigest } = rows;
  const sampled =
    rowsDigest === null
      ? [unmeasured('sample', 0, 'the staged rows could not be read')]
      : await orUnmeasuredOne('sample', 0, () => measureSample({ ...context, rowsDigest }, sample, signal));
  const results = applyOverrides([...books.results, ...recount, ...ofRows, ...sampled], {
    ...{ planHash, approvals, rowsDigest },
    roles: plan.policy.approvals.override ?? [],
  });
  return { results, gateSetHash: gateSetHash({ planHash, results, rowsDigest }), replaced, ...rows };
}

/** Gates that fail without a row to look at, which is the reason to tell. */
function describeFailure({ gate, observed, threshold, detail }: GateResult): string {
  const why = typeof detail.why === 'string' ? `: ${detail.why}` : '';
  if (gate === 'schema' && detail.staged === 0)
    return 'schema: no line became an event, so there is nothing to publish';
  if (observed === null) return `${gate}${why}`;
  return `${gate}: ${Number(observed.toPrecision(4))} observed, ${threshold} allowed${why}`;
}

function describeFailures(results: readonly GateResult[]): string {
  return results
    .filter((result) => !result.passed)
    .map(describeFailure)
    .join('; ');
}

/** Measures all gates from the tables and the mirror, stores the results, and lets the batch wait for its signatures. */
export async function verifyBatch(runtime: KeyedRuntime, job: BatchJob, signal: AbortSignal): Promise<void> {
  const { pool, logger } = runtime;
  const fence = await enterBatchFence(pool, job.batch_id, ['verifying'], job.epoch);
  const batch = await getBatch(pool, job.batch_id);
  const plan = await getPlan(pool, job.batch_id);
  if (batch?.plan_hash == null || plan === undefined) throw new FatalError(`batch ${job.batch_id} has no plan`);
  const { attempt, plan_hash: planHash } = batch;
  await withTransaction(pool, ACTOR, async (client) => {
    await enterBatchFence(client, job.batch_id, ['verifying'], fence.epoch);
    await avoidNestedLoops(client);
    await markRowsToPublish(client, job.batch_id);
    await checkBatchFence(client, fence);
  });
  crashPoint('verify:marked');
  const read = createBatchReader(pool, fence);
  const approvals = await listApprovals(pool, [job.batch_id]);
  const kpiMomentMs = momentOfKpis(batch, await listGateResults(pool, [job.batch_id]), approvals);
  const findings = await withStrays(pool, job.batch_id, async () => {
    const measured = await withFenceWatch(pool, fence, signal, async (watched) =>
      measure(await prepareRecount(runtime, fence, { plan, planHash }), plan, { approvals, kpiMomentMs }, watched),
    );
    crashPoint('verify:measured');
    await withTransaction(pool, ACTOR, async (client) => {
      await enterBatchFence(client, job.batch_id, ['verifying'], fence.epoch);
      await insertGateResults(client, job.batch_id, attempt, measured.results);
      await setBatchProof(client, job.batch_id, measured);
      await checkBatchFence(client, fence);
    });
    return measured;
  });
  const failures = describeFailures(findings.results);
  crashPoint('verify:stored');
  // Before the status says that there is something to sign, what is to be signed can be read.
  await withFenceWatch(pool, fence, signal, (watched) => writeReport(runtime, job.batch_id, { read, signal: watched }));
  crashPoint('verify:reported');
  await withTransaction(pool, ACTOR, async (client) => {
    // A twin may have measured something else meanwhile: what is stored must be what is judged here.
    const stored = await getBatchForStatusChange(client, job.batch_id);
    if (stored?.gate_set_hash !== findings.gateSetHash) {
      throw new DeferError('the batch was measured by another process meanwhile', MEASURE_AGAIN_MS);
    }
    if (failures !== '') await insertIncident(client, job.batch_id, 'gates_failed', failures);
    const changed = await changeStatus(client, {
      batchId: job.batch_id,
      from: ['verifying'],
      to: failures === '' ? 'awaiting_publish_approval' : 'gates_failed',
      reason: failures === '' ? undefined : failures,
      epoch: fence.epoch,
    });
    if (!changed) throw new StaleWorkError(`batch ${job.batch_id} was stopped`);
    if (await areRowsToPublishStale(client, job.batch_id)) {
      throw new DeferError('a batch with the same events was published or taken back meanwhile', MEASURE_AGAIN_MS);
    }
  });
  crashPoint('verify:left');
  logger.info({ batch: job.batch_id, rows: findings.rowCount, failures }, 'batch verified');
}
