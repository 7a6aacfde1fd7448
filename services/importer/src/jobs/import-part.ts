import type { PartJob } from '@backfill/core/contracts/transformed-events';
import { crashPoint } from '@backfill/core/crash-point';
import { type KeyTransaction, withKeyTransaction } from '@backfill/core/db/key-transaction';
import type { Client } from '@backfill/core/db/pool';
import { checkBatchFence, enterBatchFence } from '@backfill/core/db/queries/batch-fence';
import { bookImportTime } from '@backfill/core/db/queries/import-pace';
import { claimKeys, type PartClaims } from '@backfill/core/db/queries/key-claim';
import { getPart, markPartImported, type Part, type PartCounts } from '@backfill/core/db/queries/part-import';
import { recordLineage, recordLosers, setPartCounts } from '@backfill/core/db/queries/staging-insert';
import { advanceBatch } from '@backfill/core/dispatch/advance-batch';
import { withFenceWatch } from '@backfill/core/dispatch/watch-fence';
import { type DuplicateKind, judgeRows, losersOf } from '@backfill/core/domain/duplicate-kind';
import { FatalError, StaleWorkError } from '@backfill/core/errors';
import type { Runtime } from '@backfill/core/runtime/runtime';
import { stagePartRows } from './stage-part-rows.ts';

const ACTOR = 'importer';

/** Dedup keys, staged rows, lineage and the part's own progress: all of it, or nothing, wherever the keys are. */
async function importInTransaction(
  runtime: Runtime,
  client: Client,
  keys: KeyTransaction,
  part: Part,
  signal: AbortSignal,
): Promise<PartCounts> {
  const fence = await enterBatchFence(client, part.batch_id, [part.is_canary ? 'canary' : 'importing']);
  const isOurs = await markPartImported(client, part.part_id, part.epoch);
  if (!isOurs) throw new StaleWorkError(`part ${part.part_id} is not open any more`);
  crashPoint('import:marked');
  const claims = await claimKeys(client, keys, part);
  crashPoint('import:claimed');
  const kinds = await judge(client, part, claims);
  await withFenceWatch(runtime.pool, fence, signal, (watched) => stagePartRows(runtime, client, part, kinds, watched));
  crashPoint('import:staged');
  if ((await recordLineage(client, part)) !== part.event_count) {
    throw new FatalError(`part ${part.part_id}: its accepted lines are not as many as its events`);
  }
  crashPoint('import:traced');
  const counts = countKinds(part.event_count, kinds);
  await setPartCounts(client, part.part_id, counts);
  await keys.prepare();
  await checkBatchFence(client, fence);
  crashPoint('import:checked');
  return counts;
}

function countKinds(events: number, kinds: ReadonlyMap<number, DuplicateKind>): PartCounts {
  const counts = { inserted: events - kinds.size, same_batch: 0, other_batch: 0, live: 0 };
  for (const kind of kinds.values()) counts[kind] += 1;
  return counts;
}

/** Which of the part's rows are not new; what others have is recorded as lost. */
async function judge(client: Client, { batch_id }: Part, claims: PartClaims): Promise<Map<number, DuplicateKind>> {
  if (claims.allNew) return new Map();
  const lost = losersOf(batch_id, claims.holders);
  // One of several parts with the same event is the first to record it: of what gives way, only its row is new.
  const newlyLost = await recordLosers(client, batch_id, lost);
  return judgeRows(claims.eventIds, batch_id, claims.holders, newlyLost);
}

function countLines(runtime: Runtime, part: Part, counts: PartCounts): void {
  const duplicate = counts.same_batch + counts.other_batch + counts.live;
  runtime.metrics.lines.inc({ source: part.source, outcome: 'inserted' }, counts.inserted);
  runtime.metrics.lines.inc({ source: part.source, outcome: 'duplicate' }, duplicate);
}

/**
 * Imports one part in one transaction. Runs of the same job, by a twin, a zombie or after a crash, find the part
 * taken and change nothing.
 *
 * @throws {DeferError} when the batch has a rate, and its time is booked.
 */
export async function importPart(runtime: Runtime, job: PartJob, signal: AbortSignal): Promise<void> {
  const part = await getPart(runtime.pool, job.part_id);
  if (part === undefined || part.epoch !== job.epoch)
    throw new StaleWorkError(`part ${job.part_id} is not what it was`);
  if (part.state === 'ready') {
    const { import_events_per_second: rate } = part;
    if (rate !== null) await bookImportTime(runtime.pool, part, rate);
    const { pool, keyStore } = runtime;
    const work = { batchId: part.batch_id, partId: part.part_id, epoch: part.epoch };
    const counts = await withKeyTransaction({ pool, keyStore, actor: ACTOR, step: 'import', work }, (client, keys) =>
      importInTransaction(runtime, client, keys, part, signal),
    );
    crashPoint('import:committed');
    countLines(runtime, part, counts);
    runtime.logger.info({ batch: part.batch_id, part: part.part_id, ...counts }, 'part imported');
  }
  await advanceBatch(runtime.pool, job.batch_id, ACTOR);
  crashPoint('import:advanced');
}
