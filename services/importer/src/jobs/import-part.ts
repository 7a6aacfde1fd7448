import type { PartJob } from '@backfill/core/contracts/transformed-events';
import type { Client } from '@backfill/core/db/pool';
import { checkBatchFence, enterBatchFence } from '@backfill/core/db/queries/batch-fence';
import { claimKeys, findLiveRows } from '@backfill/core/db/queries/key-claim';
import { getPart, markPartImported, type Part, type PartCounts } from '@backfill/core/db/queries/part-import';
import { recordLineage, recordLosers, stageRows } from '@backfill/core/db/queries/staging-insert';
import { withTransaction } from '@backfill/core/db/transaction';
import { advanceBatch } from '@backfill/core/dispatch/advance-batch';
import { StaleWorkError } from '@backfill/core/errors';
import type { Runtime } from '@backfill/core/runtime/runtime';
import { loadPartRows } from './load-part-rows.ts';

const ACTOR = 'importer';

/** Dedup keys, staged rows, lineage and the part's own progress: all of it, or nothing. */
async function importInTransaction(
  runtime: Runtime,
  client: Client,
  part: Part,
  signal: AbortSignal,
): Promise<PartCounts> {
  const fence = await enterBatchFence(client, part.batch_id, [part.is_canary ? 'canary' : 'importing']);
  const isOurs = await markPartImported(client, part.part_id, part.epoch);
  if (!isOurs) throw new StaleWorkError(`part ${part.part_id} is not open any more`);
  await loadPartRows(runtime, client, part, signal);
  await findLiveRows(client);
  await claimKeys(client, part);
  const counts = await stageRows(client, part);
  await recordLineage(client, part);
  await recordLosers(client, part);
  await checkBatchFence(client, fence);
  return counts;
}

function countLines(runtime: Runtime, part: Part, counts: PartCounts): void {
  const duplicate = counts.same_batch + counts.other_batch + counts.live;
  runtime.metrics.lines.inc({ source: part.source, outcome: 'inserted' }, counts.inserted);
  runtime.metrics.lines.inc({ source: part.source, outcome: 'duplicate' }, duplicate);
}

/**
 * Imports one part in one transaction. Runs of the same job, by a twin, a zombie or after a crash, find the part
 * taken and change nothing.
 */
export async function importPart(runtime: Runtime, job: PartJob, signal: AbortSignal): Promise<void> {
  const part = await getPart(runtime.pool, job.part_id);
  if (part === undefined || part.epoch !== job.epoch)
    throw new StaleWorkError(`part ${job.part_id} is not what it was`);
  if (part.state === 'ready') {
    const counts = await withTransaction(runtime.pool, ACTOR, (client) =>
      importInTransaction(runtime, client, part, signal),
    );
    countLines(runtime, part, counts);
    runtime.logger.info({ batch: part.batch_id, part: part.part_id, ...counts }, 'part imported');
  }
  await advanceBatch(runtime.pool, job.batch_id, ACTOR);
}
