import { Readable } from 'node:stream';
import { crashPoint } from '@backfill/core/crash-point';
import { copyIn } from '@backfill/core/db/copy-in';
import type { Client } from '@backfill/core/db/pool';
import { type BatchFence, checkBatchFence, enterBatchFence } from '@backfill/core/db/queries/batch-fence';
import type { Chunk } from '@backfill/core/db/queries/chunk-get';
import { insertOutboxEntries } from '@backfill/core/db/queries/outbox-insert-many';
import { insertPart, type NewPart } from '@backfill/core/db/queries/part-insert';
import { listPartsOfChunk } from '@backfill/core/db/queries/part-list';
import { withTransaction } from '@backfill/core/db/transaction';
import { advanceBatch } from '@backfill/core/dispatch/advance-batch';
import { importEntry } from '@backfill/core/dispatch/outbox-entries';
import { withStrays } from '@backfill/core/erasure/with-strays';
import { DeferError } from '@backfill/core/errors';
import type { KeyedRuntime } from '@backfill/core/runtime/keyed-runtime';
import { archiveLayout } from '@backfill/core/storage/layout';
import type { CutPart } from '@backfill/core/transform/cut-parts';
import type { BuiltPart } from '@backfill/core/transform/part-builder';

const ACTOR = 'transformer';

const ACCEPTED_COPY = `copy analytics.backfill_event_checkpoint_raw (event_id, batch_id, source_file, line_no) from stdin`;
const QUARANTINE_COPY = `copy analytics.backfill_quarantine (batch_id, source_file, line_no, reason) from stdin`;

export interface PartToRegister extends CutPart {
  fence: BatchFence;
  chunk: Chunk;
  /** For the metric. */
  source: string;
}

/** Writes the part's rows to the archive under their own checksum: writing it again is the same write. */
async function uploadBody(
  context: KeyedRuntime,
  batchId: string,
  part: BuiltPart,
  signal: AbortSignal,
): Promise<string | null> {
  if (part.eventCount === 0) return null;
  const key = archiveLayout.part(batchId, part.sha256);
  const content = { blocks: part.body, size: part.bodyBytes, sha256: part.sha256, contentType: 'text/plain' };
  await context.store.putBlocks(context.config.storage.archiveBucket, key, content, signal);
  return key;
}

function toLedgerRow({ chunk, partNo, isCanary, part }: PartToRegister, objectKey: string | null): NewPart {
  return {
    batchId: chunk.batch_id,
    chunkId: chunk.chunk_id,
    partNo,
    fileNo: chunk.file_no,
    isCanary,
    firstLine: part.firstLine,
    lineCount: part.lineCount,
    objectKey,
    objectSha256: objectKey === null ? null : part.sha256,
    objectBytes: part.bodyBytes,
    eventCount: part.eventCount,
    suppressed: part.suppressed,
    expired: part.expired,
    filtered: part.filtered,
    quarantined: part.quarantined,
    firstEventMs: part.firstEventMs,
    lastEventMs: part.lastEventMs,
    // Nothing to import is as good as imported.
    state: objectKey === null ? 'imported' : 'ready',
  };
}

/** A twin sees other outcomes, and cuts a canary by them, when somebody was suppressed in between. */
async function requireSameLines(client: Client, { chunk, partNo, part }: PartToRegister): Promise<void> {
  const registered = (await listPartsOfChunk(client, chunk.chunk_id)).find(({ part_no }) => part_no === partNo);
  if (registered?.first_line === part.firstLine && registered.line_count === part.lineCount) return;
  throw new DeferError(`part ${partNo} of chunk ${chunk.chunk_id} was cut elsewhere by another worker`, 0);
}

function countLines(context: KeyedRuntime, source: string, part: BuiltPart): void {
  for (const outcome of ['suppressed', 'expired', 'filtered', 'quarantined'] as const) {
    context.metrics.lines.inc({ source, outcome }, part[outcome]);
  }
}

/**
 * Commits a part: its ledger row, its accepted and its quarantined lines, and the work of importing it, in one
 * transaction. A part that a twin of this job has registered already stays as it is.
 *
 * @throws {StaleWorkError} when the batch was stopped.
 * @throws {DeferError} when the twin has cut the part elsewhere; the chunk goes on where the ledger ends.
 */
export async function registerPart(
  context: KeyedRuntime,
  toRegister: PartToRegister,
  signal: AbortSignal,
): Promise<void> {
  await withStrays(context.pool, toRegister.fence.batchId, () => register(context, toRegister, signal));
}

async function register(context: KeyedRuntime, toRegister: PartToRegister, signal: AbortSignal): Promise<void> {
  const { fence, part } = toRegister;
  const objectKey = await uploadBody(context, fence.batchId, part, signal);
  crashPoint('transform:uploaded');
  const isNew = await withTransaction(context.pool, ACTOR, async (client) => {
    await enterBatchFence(client, fence.batchId, fence.statuses, fence.epoch);
    const ledgerRow = await insertPart(client, toLedgerRow(toRegister, objectKey));
    if (ledgerRow === undefined) {
      await requireSameLines(client, toRegister);
      return false;
    }
    crashPoint('transform:entered');
    await copyIn(client, ACCEPTED_COPY, Readable.from(part.acceptedRows, { objectMode: false }));
    await copyIn(client, QUARANTINE_COPY, Readable.from(part.quarantineRows, { objectMode: false }));
    crashPoint('transform:copied');
    if (objectKey !== null) await insertOutboxEntries(client, [importEntry(fence.batchId, ledgerRow)]);
    await checkBatchFence(client, fence);
    crashPoint('transform:checked');
    return true;
  });
  crashPoint('transform:registered');
  if (!isNew) return;
  countLines(context, toRegister.source, part);
  if (objectKey === null) await advanceBatch(context.pool, fence.batchId, ACTOR);
}
