import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { createDashboard, type Row, UIDS } from './create-dashboard.ts';
import { graph, type Query, stat, states, valueMap } from './panels.ts';

const upDown = valueMap({ '0': { text: 'no', color: 'red' }, '1': { text: 'yes', color: 'green' } });

const now: Row = {
  title: 'Now',
  panels: [
    stat({
      title: 'Processes',
      description: 'Processes of each service that answer. Replicas may come and go at any time.',
      unit: 'short',
      width: 12,
      base: 'red',
      steps: [[1, 'green']],
      queries: [['sum by (service) (up{job="backfill"})', '{{service}}']],
    }),
    stat({
      title: 'Dead letters',
      description: 'Jobs in Redis that have used up their attempts. Their work stands in PostgreSQL and is not lost.',
      unit: 'short',
      width: 4,
      steps: [[1, 'red']],
      queries: [['sum(max by (queue) (bullmq_job_count{state="failed"}))', 'jobs']],
    }),
    stat({
      title: 'Keys in doubt',
      description:
        'Transactions that are prepared in the dedup store and not finished. Longer than a minute is an alert.',
      unit: 'short',
      width: 4,
      queries: [['max(backfill_prepared_key_transactions)', 'transactions']],
    }),
    stat({
      title: 'Rollbacks whose keys are not free',
      description: 'Where the dedup store has a database of its own, a rollback’s keys are freed after it.',
      unit: 'short',
      width: 4,
      queries: [['max(backfill_pending_key_releases)', 'rollbacks']],
    }),
    states({
      title: 'Takes jobs',
      description: 'Whether each worker takes jobs of its queues. One that does not has lost Redis, or is stopping.',
      unit: 'short',
      width: 12,
      steps: [[1, 'green']],
      mappings: [upDown],
      queries: [['min by (service, instance, queue) (backfill_consuming)', '{{queue}} {{instance}}']],
    }),
    states({
      title: 'The API can read',
      description:
        '`ledger`, `safeguards`: PostgreSQL; `keys`: the dedup store; `queues`: Redis. What cannot be read has no series.',
      unit: 'short',
      width: 12,
      steps: [[1, 'green']],
      mappings: [upDown],
      queries: [['max by (part) (backfill_exporter_up)', '{{part}}']],
    }),
  ],
};

const queues: Row = {
  title: 'Work',
  panels: [
    graph({
      title: 'Open work in PostgreSQL',
      description: 'Pieces of work that are not done, by kind: the truth. Redis holds a window of them at a time.',
      unit: 'short',
      width: 8,
      queries: [['max by (stage) (backfill_open_jobs)', '{{stage}}']],
    }),
    graph({
      title: 'Jobs in Redis',
      description: 'By queue and state. What is lost here is sent again within seconds.',
      unit: 'short',
      width: 8,
      queries: [
        ['max by (queue, state) (bullmq_job_count{state=~"waiting|active|delayed|failed"})', '{{queue}} {{state}}'],
      ],
    }),
    graph({
      title: 'Oldest open piece of work',
      description: 'By kind; 0 when there is none. Above an hour the alert fires.',
      unit: 's',
      width: 8,
      steps: [[3_600, 'red']],
      queries: [['max by (stage) (backfill_oldest_open_chunk_age_seconds)', '{{stage}}']],
    }),
    graph({
      title: 'Jobs done per second',
      description: 'By kind of work, over all replicas.',
      unit: 'cps',
      width: 8,
      queries: [['sum by (stage) (rate(backfill_jobs_total{outcome="done"}[$__rate_interval]))', '{{stage}}']],
    }),
    graph({
      title: 'Jobs that did not end well, per second',
      description:
        '`defer`: put off, costs no attempt; `retry`: tried again; `fail`, `halt`: the batch was stopped; `drop`: it had moved on.',
      unit: 'cps',
      width: 8,
      queries: [['sum by (outcome) (rate(backfill_jobs_total{outcome!="done"}[$__rate_interval]))', '{{outcome}}']],
    }),
    graph({
      title: 'Duration of a piece of work, 95 of 100',
      description: 'Of pieces that ended well, estimated from buckets; no line where none ended.',
      unit: 's',
      width: 8,
      queries: [
        [
          'histogram_quantile(0.95, sum by (le, stage) (rate(backfill_chunk_duration_seconds_bucket[$__rate_interval]))) or on() vector(0)',
          '{{stage}}',
        ],
      ],
    }),
  ],
};

const perProcess = (expression: string): Query => [expression, '{{service}} {{instance}}'];

const processes: Row = {
  title: 'Processes',
  panels: [
    graph({
      title: 'Lines per second and process',
      description:
        'Transformers count lines without an event, importers those with one. Equal shares mean that replicas help.',
      unit: 'cps',
      width: 8,
      stacked: true,
      queries: [
        perProcess('sum by (service, instance) (rate(backfill_lines_total[$__rate_interval])) or on() vector(0)'),
      ],
    }),
    graph({
      title: 'Processor',
      description:
        'Cores used. A transformer or importer near 1 is busy: add replicas as long as the machine has cores.',
      unit: 'short',
      width: 8,
      queries: [
        perProcess('sum by (service, instance) (rate(process_cpu_seconds_total{job="backfill"}[$__rate_interval]))'),
      ],
    }),
    graph({
      title: 'Memory',
      description: 'Resident memory. It is bounded by constants, whatever the size of a batch.',
      unit: 'bytes',
      width: 8,
      queries: [perProcess('max by (service, instance) (process_resident_memory_bytes{job="backfill"})')],
    }),
    graph({
      title: 'Event loop lag, 99 of 100',
      description:
        'How long a process did not come to anything else. Near the jobs’ lock (15 s) its work is given to others.',
      unit: 's',
      width: 12,
      steps: [[5, 'orange']],
      queries: [perProcess('max by (service, instance) (nodejs_eventloop_lag_p99_seconds{job="backfill"})')],
    }),
    graph({
      title: 'Garbage collection',
      description: 'Share of the time that goes into it. Much of it for long means that the heap is too small.',
      unit: 'percentunit',
      width: 12,
      queries: [
        perProcess(
          'sum by (service, instance) (rate(nodejs_gc_duration_seconds_sum{job="backfill"}[$__rate_interval]))',
        ),
      ],
    }),
  ],
};

/** Who works at what, and how busy they are. */
export function queuesAndWorkers(): Dashboard {
  return createDashboard({
    uid: UIDS.workers,
    title: 'Backfill: queues and workers',
    description: 'Open work, queues, and the processes that work at it.',
    rows: [now, queues, processes],
  });
}
