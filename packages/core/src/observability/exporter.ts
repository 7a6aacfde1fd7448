import { Gauge, Registry } from 'prom-client';
import { describeError } from '../errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { renderBatchMetrics } from './batch-metrics.ts';
import { renderQueueMetrics } from './queue-metrics.ts';
import { renderKeyMetrics, renderSafeguardMetrics } from './safeguard-metrics.ts';

/** Whoever asks more often gets what was read before: anybody may ask, and each answer asks the ledger. */
const KEEP_MS = 1_000;

type Exported = Pick<Runtime, 'pool' | 'keyStore' | 'producers' | 'metrics' | 'logger'>;

/**
 * Reads this process's metrics, and those of batches and queues anew. What cannot be read is left out, and
 * `backfill_exporter_up` says so: no series is better than an old one.
 *
 * @returns a function that gives Prometheus' text format
 */
export function createExporter({ pool, keyStore, producers, metrics, logger }: Exported): () => Promise<string> {
  const sources = {
    ledger: () => renderBatchMetrics(pool),
    safeguards: () => renderSafeguardMetrics(pool),
    keys: () => renderKeyMetrics(pool, keyStore),
    queues: () => renderQueueMetrics(producers),
  };

  async function read(): Promise<string> {
    const registry = new Registry();
    const up = new Gauge({
      name: 'backfill_exporter_up',
      help: '1 when the metrics of batches (ledger), safeguards, the dedup store (keys) or queues could be read.',
      labelNames: ['part'],
      registers: [registry],
    });
    const texts: string[] = [];
    for (const [part, render] of Object.entries(sources)) {
      try {
        texts.push(await render());
        up.set({ part }, 1);
      } catch (error) {
        logger.warn({ part, error: describeError(error) }, 'metrics cannot be read');
        up.set({ part }, 0);
      }
    }
    return [await metrics.registry.metrics(), ...texts, await registry.metrics()].join('\n');
  }

  let last: { readAt: number | undefined; text: Promise<string> } | undefined;
  return () => {
    const isFresh = last?.readAt === undefined || performance.now() - last.readAt < KEEP_MS;
    if (last !== undefined && isFresh) return last.text;
    const reading = { readAt: undefined as number | undefined, text: read() };
    last = reading;
    // Counted from its end: however long a read takes, there is one at a time.
    const note = () => {
      reading.readAt = performance.now();
    };
    reading.text.then(note, note);
    return reading.text;
  };
}
