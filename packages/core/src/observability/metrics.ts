import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client';

/** The metrics of one process. Those about batches are computed from PostgreSQL elsewhere. */
export interface Metrics {
  readonly registry: Registry;
  /** Lines by what became of them, counted when their part is committed. */
  readonly lines: Counter<'source' | 'outcome'>;
  /** Seconds per piece of work that ended well. */
  readonly chunkDuration: Histogram<'stage'>;
  /** Starts, batches and requests that the residency policy refused. */
  readonly residencyRefusals: Counter;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    lines: new Counter({
      name: 'backfill_lines_total',
      help: 'Raw lines by outcome, counted when committed.',
      labelNames: ['source', 'outcome'],
      registers: [registry],
    }),
    chunkDuration: new Histogram({
      name: 'backfill_chunk_duration_seconds',
      help: 'Duration of one piece of work: a plan, a mirror, a chunk, a part, a verification, a publish, a rollback.',
      labelNames: ['stage'],
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
      registers: [registry],
    }),
    residencyRefusals: new Counter({
      name: 'backfill_residency_refusals_total',
      help: 'Starts, batches and requests to the object store that the residency policy refused.',
      registers: [registry],
    }),
  };
}
