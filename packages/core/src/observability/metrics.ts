import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** The metrics of one process. Those about batches are computed from PostgreSQL elsewhere. */
export interface Metrics {
  readonly registry: Registry;
  /** Lines by what became of them, counted when their part is committed. */
  readonly lines: Counter<'source' | 'outcome'>;
  /** Seconds per piece of work that ended well. */
  readonly chunkDuration: Histogram<'stage'>;
  /** Starts, batches and requests that the residency policy refused. */
  readonly residencyRefusals: Counter;
  /** Runs of jobs by what became of them. */
  readonly jobs: Counter<'stage' | 'outcome'>;
  /** Adds a queue to `backfill_consuming`, which is asked anew with each scrape. */
  watchConsuming(queue: string, isConsuming: () => boolean): void;
  /** Entries of the audit log that this process had sealed, and that were gone when it looked. */
  readonly auditLosses: Counter;
}

function consumingGauge(registry: Registry): Metrics['watchConsuming'] {
  const watched = new Map<string, () => boolean>();
  new Gauge({
    name: 'backfill_consuming',
    help: '1 while this worker takes jobs of the queue, else 0.',
    labelNames: ['queue'],
    registers: [registry],
    collect() {
      for (const [queue, isConsuming] of watched) this.set({ queue }, isConsuming() ? 1 : 0);
    },
  });
  return (queue, isConsuming) => watched.set(queue, isConsuming);
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
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600],
      registers: [registry],
    }),
    residencyRefusals: new Counter({
      name: 'backfill_residency_refusals_total',
      help: 'Starts, batches and requests to the object store that the residency policy refused.',
      registers: [registry],
    }),
    jobs: new Counter({
      name: 'backfill_jobs_total',
      help: 'Runs of jobs by their end: done, drop (its batch has moved on), defer (put off), retry, fail or halt (the batch was stopped).',
      labelNames: ['stage', 'outcome'],
      registers: [registry],
    }),
    watchConsuming: consumingGauge(registry),
    auditLosses: new Counter({
      name: 'backfill_audit_losses_total',
      help: 'Times that the last sealed entry of the audit log was found to be gone.',
      registers: [registry],
    }),
  };
}
