import { crashPoint } from '@backfill/core/crash-point';
import { type KeyTransaction, withKeyTransaction } from '@backfill/core/db/key-transaction';
import type { Client } from '@backfill/core/db/pool';
import { avoidNestedLoops } from '@backfill/core/db/queries/avoid-nested-loops';
import { checkBatchFence, enterBatchFence } from '@backfill/core/db/queries/batch-fence';
import { getBatch } from '@backfill/core/db/queries/batch-get';
import { holdOwners } from '@backfill/core/db/queries/key-takeover';
import {
  ensureEventDay,
  fingerprintRowsToPublish,
  fingerprintWrittenRows,
  holdSuppressions,
  listDaysToPublish,
  lockStagedRows,
  type PublishCounts,
  publishRows,
  readSuppressionState,
  setRowsLive,
  unpublishSuppressed,
} from '@backfill/core/db/queries/publish-rows';
import { holdPublishAt, notePublishedRows } from '@backfill/core/db/queries/publish-steps';
import { canPublishMore } from '@backfill/core/db/queries/rows-to-publish';
import { withTransaction } from '@backfill/core/db/transaction';
import { recallBatches } from '@backfill/core/dispatch/recall-batches';
import { newlySuppressedShare } from '@backfill/core/domain/publish-bounds';
import { FatalError, StaleWorkError } from '@backfill/core/errors';
import { type DigestedRows, digestRowsToPublish } from '../gates/rows-digest.ts';
import { countStaged, overlapOf } from '../gates/staged-counts.ts';
import { sideBySide } from '../side-by-side.ts';
import { keepAwake } from './keep-awake.ts';
import { ACTOR, OutdatedError, type PublishWork } from './publish-work.ts';
import { bookReplacement, holdReplacedSource, replaceTarget } from './replace-target.ts';
import { requireSigned } from './require-signed.ts';
import { takeOverKeys } from './take-over-keys.ts';

/** What a publish has written, before anybody else sees it. */
interface Written extends PublishCounts {
  /** Of the suppressions, as the write found them. */
  suppressions: string;
}

/** The rows to publish as they are staged. */
interface StagedRows extends DigestedRows {
  fingerprint: string;
}

/** Reads the rows to publish, as they are committed, on a connection of its own. */
async function readStagedRows({ batchId, read }: PublishWork, signal: AbortSignal): Promise<StagedRows> {
  return read(async (client) => {
    const digested = await digestRowsToPublish(client, batchId, signal);
    const { fingerprint } = await fingerprintRowsToPublish(client, batchId);
    return { ...digested, fingerprint };
  });
}

/**
 * Holds the staged rows, and writes them while they are compared with what was signed: nobody sees what was written before
 * they are.
 *
 * @throws {FatalError} when a row was added, dropped or changed since the verification.
 */
async function writeSignedRows(client: Client, work: PublishWork): Promise<{ written: Written; staged: StagedRows }> {
  const { batchId } = work;
  await lockStagedRows(client, batchId);
  const batch = await getBatch(client, batchId);
  const suppressions = await readSuppressionState(client);
  const write = async (other: Promise<unknown>) => {
    const counts = await publishRows(client, batchId, batch?.row_count ?? 0);
    await keepAwake(client, other);
    return counts;
  };
  const [counts, staged] = await sideBySide(work.signal, (watched) => {
    const reading = readStagedRows(work, watched);
    return [write(reading), reading];
  });
  crashPoint('publish:inserted');
  const { rowsDigest, rowCount, checksum } = staged;
  if (rowsDigest !== batch?.rows_digest || rowCount !== batch.row_count || checksum !== batch.checksum) {
    throw new FatalError('the staged rows are not the ones that were verified and signed');
  }
  return { written: { ...counts, suppressions }, staged };
}

/** @throws {OutdatedError} when more of what was signed is somebody else's by now than the policy allows for. */
async function checkOverlap(client: Client, batchId: string, counts: PublishCounts, maxOverlap: number): Promise<void> {
  if (counts.newly_live === 0) return;
  // As the gate measures it; the write has recorded what was lost to others by now.
  const staged = await countStaged(client, batchId);
  if (overlapOf(staged) > maxOverlap * staged.staged) {
    throw new OutdatedError(`${counts.newly_live} events became live since the verification`);
  }
}

/**
 * Settles what was left out of what was signed: the write itself leaves out what it can see of people who were suppressed
 * since; what came while it was waiting is taken out again, with new ones held back until the commit.
 *
 * @throws {OutdatedError} when more is left out than the policy allows for.
 */
async function settleLeftOut(
  client: Client,
  { batchId, plan }: PublishWork,
  { suppressions, ...written }: Written,
  signed: number,
): Promise<PublishCounts> {
  const { gates } = plan.policy;
  await checkOverlap(client, batchId, written, gates.max_overlap);
  if (written.published + written.newly_suppressed + written.newly_live !== signed) {
    throw new FatalError(
      `of ${signed} signed rows ${written.published} were published, and not all others are explained`,
    );
  }
  await holdSuppressions(client);
  const late = (await readSuppressionState(client)) === suppressions ? 0 : await unpublishSuppressed(client, batchId);
  const newlySuppressed = written.newly_suppressed + late;
  if (newlySuppressed > newlySuppressedShare(gates) * signed) {
    throw new OutdatedError(`${newlySuppressed} events are of people who were suppressed since the verification`);
  }
  return { ...written, published: written.published - late, newly_suppressed: newlySuppressed };
}

/**
 * What must be found live after the commit: the staged rows, without those that were left out.
 *
 * @throws {FatalError} when not as many rows are there as were published.
 */
async function expectLive(client: Client, batchId: string, { published }: PublishCounts, staged: StagedRows) {
  if (published === staged.rowCount) return { fingerprint: staged.fingerprint, checksum: staged.checksum };
  const { rows, fingerprint } = await fingerprintWrittenRows(client, batchId);
  if (rows !== published) throw new FatalError(`${published} rows were published and ${rows} are there`);
  return { fingerprint, checksum: null };
}

async function publishInTransaction(client: Client, keys: KeyTransaction, work: PublishWork) {
  const { batchId, publish } = work;
  await holdReplacedSource(client, work);
  const fence = await enterBatchFence(client, batchId, work.fence.statuses, work.fence.epoch);
  // A twin that comes later must not take what is live for rows that are missing.
  if (!(await holdPublishAt(client, publish.publish_id, ['rows']))) {
    throw new StaleWorkError(`the publish of batch ${batchId} has moved on`);
  }
  await requireSigned(client, work);
  await avoidNestedLoops(client);
  await holdOwners(client, batchId);
  if (await canPublishMore(client, batchId)) {
    throw new OutdatedError('a batch with the same events was taken back since the verification');
  }
  const target = await replaceTarget(client, work);
  const { written, staged } = await writeSignedRows(client, work);
  const counts = await settleLeftOut(client, work, written, staged.rowCount);
  const expected = await expectLive(client, batchId, counts, staged);
  const { taken, rivals } = await takeOverKeys(client, keys, batchId);
  crashPoint('publish:taken');
  await bookReplacement(client, work);
  const recalled = await recallBatches(client, rivals, `${batchId} published events that both delivered`);
  // Not earlier: the batch's row is locked from here on, and a halt would wait for what comes in between.
  if (!(await setRowsLive(client, batchId, fence.epoch))) throw new StaleWorkError(`batch ${batchId} was stopped`);
  // Once more: writing takes minutes, and the rows were compared with a digest that stands in the same database.
  await requireSigned(client, work);
  await keys.prepare();
  const done = { ...counts, ...expected, ...target, taken_over: taken };
  if (!(await notePublishedRows(client, publish.publish_id, done))) {
    throw new StaleWorkError(`the rows of batch ${batchId} were published by another process`);
  }
  await checkBatchFence(client, fence);
  crashPoint('publish:changed');
  return { ...done, recalled };
}

async function makeDays({ runtime: { pool }, batchId, fence, read }: PublishWork): Promise<void> {
  for (const day of await read((client) => listDaysToPublish(client, batchId))) {
    await withTransaction(pool, ACTOR, async (client) => {
      await enterBatchFence(client, batchId, fence.statuses, fence.epoch);
      await ensureEventDay(client, day);
      await checkBatchFence(client, fence);
    });
  }
  crashPoint('publish:days-made');
}

/**
 * Makes the signed rows live in one transaction: either every row is, and the batch says so, or nothing happened. Rows
 * whose person was suppressed and rows that were delivered live since the signing are left out and noted. What the batch
 * shares with batches that are not published becomes its own, and those go back to their gates.
 *
 * @throws {OutdatedError} when more is left out than the policy allows for, or what was signed is not what is stored.
 */
export async function publishSignedRows(work: PublishWork): Promise<void> {
  const { runtime, batchId, fence } = work;
  await makeDays(work);
  const { pool, keyStore } = runtime;
  const options = { pool, keyStore, actor: ACTOR, step: 'publish', work: { batchId, partId: 0, epoch: fence.epoch } };
  const counts = await withKeyTransaction(options, (client, keys) => publishInTransaction(client, keys, work));
  crashPoint('publish:committed');
  runtime.logger.info({ batch: batchId, ...counts }, 'rows are live');
}
