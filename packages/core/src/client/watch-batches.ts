import { formatProgressLine, formatStageBars } from '../text/format-stages.ts';
import { LiveBlock, type TextOutput } from '../text/live-block.ts';
import type { ApiClient } from './api-client.ts';
import type { BatchDetail } from './batch-view.ts';
import { followBatch } from './follow-batch.ts';

/** Least time between two lines of one batch whose status has not changed, on a pipe. */
const PLAIN_INTERVAL_MS = 2_000;

/**
 * Shows batches live until all of them rest: bars that move on a terminal, a line per step on a pipe.
 *
 * @returns the batches as they rest, in the order asked for.
 * @throws {ApiUnreachable} when the API stays away.
 */
export async function watchBatches(
  client: ApiClient,
  batchIds: readonly string[],
  out: TextOutput,
  signal: AbortSignal,
): Promise<BatchDetail[]> {
  const show = out.isTTY === true ? barsView(batchIds, out) : plainView(out);
  // When one watch fails, the others must not go on drawing.
  const failed = new AbortController();
  const joined = AbortSignal.any([signal, failed.signal]);
  const watchOne = async (batchId: string): Promise<BatchDetail> => {
    let last: BatchDetail | undefined;
    for await (const batch of followBatch(client, batchId, joined)) {
      last = batch;
      show(batch);
    }
    if (last === undefined) throw new Error(`nothing was told about ${batchId}`);
    return last;
  };
  try {
    return await Promise.all(batchIds.map(watchOne));
  } finally {
    failed.abort();
  }
}

function barsView(batchIds: readonly string[], out: TextOutput): (batch: BatchDetail) => void {
  const block = new LiveBlock(out);
  const latest = new Map<string, BatchDetail>();
  return (batch) => {
    latest.set(batch.batch_id, batch);
    block.draw(batchIds.flatMap((id) => formatKnown(latest.get(id))));
  };
}

function formatKnown(batch: BatchDetail | undefined): string[] {
  return batch === undefined ? [] : formatStageBars(batch);
}

function plainView(out: TextOutput): (batch: BatchDetail) => void {
  const printed = new Map<string, { status: string; line: string; atMs: number }>();
  return (batch) => {
    const last = printed.get(batch.batch_id);
    const line = formatProgressLine(batch);
    const nowMs = Date.now();
    const isNew = last === undefined || last.status !== batch.status;
    if (!isNew && (last.line === line || nowMs - last.atMs < PLAIN_INTERVAL_MS)) return;
    printed.set(batch.batch_id, { status: batch.status, line, atMs: nowMs });
    out.write(`${line}\n`);
  };
}
