import { crashPoint } from '@backfill/core/crash-point';
import type { Client } from '@backfill/core/db/pool';
import { enterBatchFence } from '@backfill/core/db/queries/batch-fence';
import { getBatchForStatusChange } from '@backfill/core/db/queries/batch-get';
import { holdFreeze } from '@backfill/core/db/queries/freeze-hold';
import { insertIncident } from '@backfill/core/db/queries/incident-insert';
import { fingerprintLive, setPublished } from '@backfill/core/db/queries/publish-rows';
import {
  endMiscountedPublish,
  getOpenPublish,
  notePublishCount,
  type PublishRow,
} from '@backfill/core/db/queries/publish-steps';
import { withTransaction } from '@backfill/core/db/transaction';
import { changeStatus } from '@backfill/core/dispatch/change-status';
import { DeferError, StaleWorkError } from '@backfill/core/errors';
import { ACTOR, type PublishWork } from './publish-work.ts';
import { checksumPublished } from './published-checksum.ts';

const COUNT_AGAIN_MS = 100;

/** What is live of the batch, read back after the commit. */
interface Counted {
  rowCount: number;
  checksum: string;
  fingerprint: string;
  /** What was expected when the count began. */
  expected: string | null;
}

async function count({ read, batchId }: PublishWork): Promise<Counted> {
  return read(async (client) => {
    const publish = await getOpenPublish(client, batchId);
    const { rows: rowCount, fingerprint } = await fingerprintLive(client, batchId);
    // Rows with the same fingerprint have the same ids, whose checksum is known where nothing was left out.
    const checksum = publish?.checksum ?? (await checksumPublished(client, batchId));
    return { rowCount, checksum, fingerprint, expected: publish?.fingerprint ?? null };
  });
}

function describePublish({ published, taken_over, newly_suppressed, newly_live, replaced }: PublishRow): string {
  const takenOver = taken_over === 0 ? '' : `, ${taken_over} of them taken over from batches that are not published`;
  const inPlaceOf = replaced ? ` in place of ${replaced}` : '';
  return `${published} events${inPlaceOf}${takenOver}; left out: ${newly_suppressed} newly suppressed, ${newly_live} newly live`;
}

async function finish(client: Client, { batchId, fence }: PublishWork, publish: PublishRow, counted: Counted) {
  await setPublished(client, batchId, counted);
  if (publish.visible_at !== null && publish.visible_at > publish.visible_due) {
    const minutes = Math.ceil((publish.visible_seconds ?? 0) / 60);
    await insertIncident(client, batchId, 'late_publish', `readers saw the events ${minutes} minutes after the go`);
  }
  return changeStatus(client, {
    batchId,
    from: ['publishing'],
    to: 'published',
    reason: describePublish(publish),
    epoch: fence.epoch,
  });
}

/** Takes back what is not what was published, and keeps the window frozen until a person has looked at it. */
async function giveUp(client: Client, { batchId, fence }: PublishWork, publish: PublishRow, counted: Counted) {
  const found = counted.rowCount === publish.published ? 'others' : `${counted.rowCount}`;
  const reason = `${publish.published} events were published and ${found} were found live: taken back`;
  const incident = await insertIncident(client, batchId, 'publish_miscounted', reason);
  await holdFreeze(client, batchId, incident, reason);
  await endMiscountedPublish(client, publish.publish_id);
  return changeStatus(client, { batchId, from: ['publishing'], to: 'rolling_back', reason, epoch: fence.epoch });
}

/**
 * Counts what a publish has made live, once that is committed. If it agrees, the batch is published and its window is not
 * frozen any more; if not, it is taken back by itself, and the freeze holds.
 */
export async function countPublished(work: PublishWork): Promise<void> {
  const { runtime, batchId, fence } = work;
  const counted = await count(work);
  crashPoint('publish:counted');
  const agrees = await withTransaction(runtime.pool, ACTOR, async (client) => {
    await enterBatchFence(client, batchId, fence.statuses, fence.epoch);
    // A batch that is taken back gives it nothing from here on.
    await getBatchForStatusChange(client, batchId);
    const publish = await getOpenPublish(client, batchId);
    if (publish?.step !== 'count') throw new StaleWorkError(`the publish of batch ${batchId} has moved on`);
    if (publish.fingerprint !== counted.expected) {
      throw new DeferError(`batch ${batchId} got events while they were counted`, COUNT_AGAIN_MS);
    }
    await notePublishCount(client, publish.publish_id, counted.rowCount);
    const isRight = counted.rowCount === publish.published && counted.fingerprint === publish.fingerprint;
    const changed = await (isRight ? finish : giveUp)(client, work, publish, counted);
    if (!changed) throw new StaleWorkError(`batch ${batchId} was stopped`);
    return isRight;
  });
  crashPoint('publish:lifted');
  if (agrees) runtime.logger.info({ batch: batchId, rows: counted.rowCount }, 'batch published');
  else runtime.logger.error({ batch: batchId, rows: counted.rowCount }, 'what was published is not there: taken back');
}
