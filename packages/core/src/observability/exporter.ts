import { Gauge, Registry } from 'prom-client';
import { describeError } from '../errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { renderBatchMetrics } from './batch-metrics.ts';
import { renderQueueMetrics } from './queue-metrics.ts';

/** Whoever asks more often gets what was read before: anybody may ask, and each answer asks the ledger. */
const KEEP_MS = 1_000;

type Exported = Pick<Runtime, 'pool' | 'producers' | 'metrics' | 'logger'>;

/**
 * Reads this process's metrics, and those of batches and queues anew. What cannot be read is left out, and
 * `backfill_exporter_up` says so: no series is better than an old one.
 *
 * @returns a function that gives Prometheus' text format
 */
export function createExporter({ pool, producers, metrics, logger }: Exported): () => Promise<string> {
  const sources = { ledger: () => renderBatchMetrics(pool), queues: () => renderQueueMetrics(producers) };

  async function read(): Promise<string> {
    const registry = new Registry();
    const up = new Gauge({
      name: 'backfill_exporter_up',
      help: '1 when the metrics of batches (ledger) or queues could be read.',
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

  let last: { at: number; text: Promise<string> } | undefined;
  return () => {
    const now = performance.now();
    if (last === undefined || now - last.at > KEEP_MS) last = { at: now, text: read() };
    return last.text;
  };
}
