import { batchStages, type StageName } from '../text/batch-stages.ts';
import { formatGateLines, formatProgressLine, formatStageBars, type StageRates } from '../text/format-stages.ts';
import { LiveBlock, type TextOutput } from '../text/live-block.ts';
import { RateMeter } from '../text/rate-meter.ts';
import type { ApiClient } from './api-client.ts';
import type { BatchDetail } from './batch-view.ts';
import { followBatch } from './follow-batch.ts';

/** Least time between two lines of one batch whose status has not changed, on a pipe. */
const PLAIN_INTERVAL_MS = 2_000;
const REDRAW_EVERY_MS = 1_000;

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
  const view = out.isTTY === true ? barsView(batchIds, out) : plainView(out);
  // When one watch fails, the others must not go on drawing.
  const failed = new AbortController();
  const joined = AbortSignal.any([signal, failed.signal]);
  const watchOne = async (batchId: string): Promise<BatchDetail> => {
    let last: BatchDetail | undefined;
    for await (const batch of followBatch(client, batchId, joined)) {
      last = batch;
      view.show(batch);
    }
    if (last === undefined) throw new Error(`nothing was told about ${batchId}`);
    return last;
  };
  try {
    return await Promise.all(batchIds.map(watchOne));
  } finally {
    failed.abort();
    view.end();
  }
}

/** Shows a batch; `end` stops what goes on between two changes. */
interface View {
  show(batch: BatchDetail): void;
  end(): void;
}

/** The rates of the stages of each batch, by all that was seen of it. */
function createRates(): { see(batch: BatchDetail): void; of(batchId: string): StageRates } {
  const meters = new Map<string, Map<StageName, RateMeter>>();
  return {
    see(batch) {
      const own = meters.get(batch.batch_id) ?? new Map<StageName, RateMeter>();
      meters.set(batch.batch_id, own);
      for (const { name, state, lines } of batchStages(batch)) {
        // The time in which it waits is not its time.
        if (state !== 'running' || lines === undefined) {
          own.delete(name);
          continue;
        }
        const meter = own.get(name) ?? new RateMeter();
        meter.see(Date.now(), lines.done);
        own.set(name, meter);
      }
    },
    of: (batchId) =>
      Object.fromEntries([...(meters.get(batchId) ?? [])].map(([name, meter]) => [name, meter.rate(Date.now())])),
  };
}

function barsView(batchIds: readonly string[], out: TextOutput): View {
  const block = new LiveBlock(out);
  const rates = createRates();
  const latest = new Map<string, BatchDetail>();
  const draw = () =>
    block.draw(
      batchIds.flatMap((id) => {
        const batch = latest.get(id);
        return batch === undefined ? [] : formatStageBars(batch, rates.of(id), out.columns);
      }),
    );
  // Rates fall while nothing happens.
  const redraws = setInterval(draw, REDRAW_EVERY_MS);
  out.on?.('resize', draw);
  return {
    show(batch) {
      latest.set(batch.batch_id, batch);
      rates.see(batch);
      draw();
    },
    end() {
      clearInterval(redraws);
      out.off?.('resize', draw);
    },
  };
}

function plainView(out: TextOutput): View {
  const rates = createRates();
  const printed = new Map<string, { status: string; line: string; atMs: number }>();
  const gates = new Set<string>();
  const printGates = ({ batch_id, gates: measured }: BatchDetail) => {
    // One by one: in a table the place of a gate would hang on the others.
    for (const line of measured.flatMap((gate) => formatGateLines([gate]))) {
      const text = `${batch_id}  gate ${line}\n`;
      if (!gates.has(text)) out.write(text);
      gates.add(text);
    }
  };
  return {
    show(batch) {
      rates.see(batch);
      const last = printed.get(batch.batch_id);
      const line = formatProgressLine(batch, rates.of(batch.batch_id));
      const nowMs = Date.now();
      const isNew = last === undefined || last.status !== batch.status;
      printGates(batch);
      if (!isNew && (last.line === line || nowMs - last.atMs < PLAIN_INTERVAL_MS)) return;
      printed.set(batch.batch_id, { status: batch.status, line, atMs: nowMs });
      out.write(`${line}\n`);
    },
    end: () => undefined,
  };
}
