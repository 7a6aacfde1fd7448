import { hash } from 'node:crypto';
import type { BatchJob } from '@backfill/core/contracts/batch-job';
import { crashPoint } from '@backfill/core/crash-point';
import { checkBatchFence, enterBatchFence } from '@backfill/core/db/queries/batch-fence';
import { getBatch } from '@backfill/core/db/queries/batch-get';
import { setBatchProof } from '@backfill/core/db/queries/batch-set-proof';
import { insertGateResults } from '@backfill/core/db/queries/gate-result-insert';
import { insertIncident } from '@backfill/core/db/queries/incident-insert';
import { getPlan } from '@backfill/core/db/queries/plan-get';
import { areRowsToPublishStale, markRowsToPublish } from '@backfill/core/db/queries/rows-to-publish';
import { listFilesOfParts } from '@backfill/core/db/queries/staged-sample-list';
import { listSuppressedSubjects } from '@backfill/core/db/queries/suppression-list';
import { withTransaction } from '@backfill/core/db/transaction';
import { changeStatus } from '@backfill/core/dispatch/change-status';
import { type BatchReader, createBatchReader } from '@backfill/core/dispatch/read-for-batch';
import { withFenceWatch } from '@backfill/core/dispatch/watch-fence';
import { canonicalJson } from '@backfill/core/domain/canonical-json';
import type { GateResult } from '@backfill/core/domain/gate-result';
import { DeferError, FatalError, StaleWorkError } from '@backfill/core/errors';
import type { Plan } from '@backfill/core/plan/plan';
import { countsOccurrences } from '@backfill/core/recipe/recipe';
import type { KeyedRuntime } from '@backfill/core/runtime/keyed-runtime';
import { requirePinnedKeys } from '@backfill/core/transform/compile-pinned-recipe';
import { listFileCounts, measureBalance } from '../gates/balance-gate.ts';
import {
  overlapGates,
  RECUT_SQL,
  type RecutFile,
  STAGED_COUNTS_SQL,
  type StagedCounts,
} from '../gates/overlap-gates.ts';
import { recountGate, recountMirror } from '../gates/recount-gate.ts';
import { measureRows } from '../gates/row-gates.ts';
import { measureSample } from '../gates/sample-gate.ts';
import { writeReport } from '../report/write-report.ts';
import { SampleDraw } from '../sample/sample-draw.ts';
import { sideBySide } from './side-by-side.ts';

const ACTOR = 'verifier';
const NOTHING_STAGED: StagedCounts = { staged: 0, same_batch: 0, other_batch: 0, live: 0, newly_live: 0 };
const MEASURE_AGAIN_MS = 250;

interface Findings {
  results: GateResult[];
  gateSetHash: string;
  rowsDigest: string;
  checksum: string;
  rowCount: number;
}

/** What publish approvals bind to: the plan, every gate with its numbers, and the digest of the rows to publish. */
export function gateSetHash(planHash: string, results: readonly GateResult[], rowsDigest: string): string {
  const gates = results.map(({ gate, threshold, observed, passed }) => ({ gate, threshold, observed, passed }));
  return hash('sha256', canonicalJson({ plan_hash: planHash, gates, rows_digest: rowsDigest }), 'hex');
}

async function measure(
  { store, config, keys }: KeyedRuntime,
  read: BatchReader,
  { plan, planHash }: { plan: Plan; planHash: string },
  signal: AbortSignal,
): Promise<Findings> {
  const { batchId, recipe } = plan;
  const { gates } = plan.policy;
  const { archiveBucket: bucket } = config.storage;
  requirePinnedKeys(recipe, keys);
  const suppressed = new Set(await read(listSuppressedSubjects));
  const isSuppressed = (subjectId: string) => suppressed.has(subjectId);
  const sample = new SampleDraw(planHash, await read((db) => listFilesOfParts(db, batchId)), isSuppressed);
  // Beside the rows, which keep this process busy: unpacking and counting others do.
  const [[balance, recounted, counts, recut], rowFindings] = await sideBySide(signal, (watched) => [
    (async () => {
      const mirror = await recountMirror({ read, store, bucket, batchId, recipe, keys, isSuppressed }, watched);
      const files = await listFileCounts(read, batchId);
      const measured = await measureBalance(read, batchId, files, mirror);
      const { rows } = await read((client) => client.query<StagedCounts>(STAGED_COUNTS_SQL, [batchId]));
      const found = countsOccurrences(recipe) ? await findRecut(read, batchId) : undefined;
      return [measured, recountGate(files, mirror), rows[0] ?? NOTHING_STAGED, found] as const;
    })(),
    measureRows(read, batchId, recipe, { minValidShare: gates.schema, sample }, watched),
  ]);
  const { rowsDigest } = rowFindings;
  const mirror = { read, store, bucket, batchId, recipe };
  const sampled = await measureSample({ ...mirror, keys, planHash, rowsDigest }, sample, signal);
  const results = [balance, recounted, ...overlapGates(counts, gates, recut), ...rowFindings.gates, sampled];
  return {
    results,
    gateSetHash: gateSetHash(planHash, results, rowFindings.rowsDigest),
    rowsDigest: rowFindings.rowsDigest,
    checksum: rowFindings.checksum,
    rowCount: rowFindings.rowCount,
  };
}

async function findRecut(read: BatchReader, batchId: string): Promise<RecutFile | undefined> {
  const { rows } = await read((client) => client.query<RecutFile>(RECUT_SQL, [batchId]));
  return rows[0];
}

/** Gates that fail without a row to look at, which is the reason to tell. */
function describeFailure({ gate, observed, threshold, detail }: GateResult): string {
  const why = typeof detail.why === 'string' ? `: ${detail.why}` : '';
  if (gate === 'schema' && detail.staged === 0)
    return 'schema: no line became an event, so there is nothing to publish';
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
    await markRowsToPublish(client, job.batch_id);
    await checkBatchFence(client, fence);
  });
  crashPoint('verify:marked');
  const read = createBatchReader(pool, fence);
  const findings = await withFenceWatch(pool, fence, signal, (watched) =>
    measure(runtime, read, { plan, planHash }, watched),
  );
  crashPoint('verify:measured');
  const failures = describeFailures(findings.results);
  await withTransaction(pool, ACTOR, async (client) => {
    await enterBatchFence(client, job.batch_id, ['verifying'], fence.epoch);
    await insertGateResults(client, job.batch_id, attempt, findings.results);
    await setBatchProof(client, job.batch_id, findings);
    await checkBatchFence(client, fence);
  });
  crashPoint('verify:stored');
  // Before the status says that there is something to sign, what is to be signed can be read.
  await withFenceWatch(pool, fence, signal, (watched) => writeReport(runtime, job.batch_id, { read, signal: watched }));
  crashPoint('verify:reported');
  await withTransaction(pool, ACTOR, async (client) => {
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
