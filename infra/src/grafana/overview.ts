import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { createDashboard, type Row, UIDS } from './create-dashboard.ts';
import { graph, stat, table } from './panels.ts';

const WORKING = 'submitted|planning|preparing|canary|importing|verifying|publishing|rolling_back';
const WAITING = 'awaiting_run_approval|awaiting_publish_approval|gates_failed|halted|failed';
const batchesOf = (statuses: string) =>
  `count(max by (batch_id) (backfill_batch_info{status=~"${statuses}"})) or vector(0)`;
const BATCH_PAGE = `/d/${UIDS.batch}?var-batch_id=\${__value.raw}&\${__url_time_range}`;

const now: Row = {
  title: 'Now',
  panels: [
    stat({
      title: 'Alerts',
      description: 'Alerts that are firing. The runbook has a section for each, under its name.',
      unit: 'short',
      width: 4,
      steps: [[1, 'red']],
      queries: [['count(ALERTS{alertstate="firing"}) or vector(0)', 'firing']],
    }),
    stat({
      title: 'Processes that do not answer',
      description:
        'Services whose metrics Prometheus cannot read. A worker may be killed and started again at any time.',
      unit: 'short',
      width: 4,
      steps: [[1, 'red']],
      queries: [['count(up{job="backfill"} == 0) or vector(0)', 'down']],
    }),
    stat({
      title: 'Batches under way',
      description: 'Batches that services work for.',
      unit: 'short',
      width: 4,
      queries: [[batchesOf(WORKING), 'batches']],
    }),
    stat({
      title: 'Batches that wait for a person',
      description:
        'Approvals are missing, gates have not passed, or the batch was stopped. `backfill status` says what is next.',
      unit: 'short',
      width: 4,
      steps: [[1, 'yellow']],
      queries: [[batchesOf(WAITING), 'batches']],
    }),
    stat({
      title: 'Frozen windows',
      description: 'Windows that readers must not trust yet, until their batch is published or rolled back.',
      unit: 'short',
      width: 4,
      queries: [['count(max by (batch_id) (backfill_freeze_age_seconds)) or vector(0)', 'windows']],
    }),
    stat({
      title: 'Open incidents',
      description: 'Incidents whose post-mortem is not written yet; it is due within 24 hours.',
      unit: 'short',
      width: 4,
      steps: [[1, 'orange']],
      queries: [['sum(max by (kind) (backfill_open_incidents))', 'incidents']],
    }),
    table({
      title: 'What is firing',
      description: 'One row per alert and what it is about. The runbook has a section for each.',
      unit: 'short',
      width: 24,
      height: 6,
      columns: [
        { field: 'alertname', title: 'Alert' },
        { field: 'severity', title: 'Severity' },
        { field: 'batch_id', title: 'Batch', link: { title: 'The batch', url: BATCH_PAGE } },
        { field: 'gate', title: 'Gate' },
        { field: 'stage', title: 'Stage' },
        { field: 'queue', title: 'Queue' },
        { field: 'service', title: 'Service' },
      ],
      queries: [
        [
          'max by (alertname, severity, batch_id, gate, stage, queue, service) (ALERTS{alertstate="firing"}) ' +
            'or on() label_replace(vector(0), "alertname", "none", "", "")',
          '',
        ],
      ],
    }),
  ],
};

const perBatch = (expression: string) => `${expression} or 0 * max by (batch_id) (backfill_batch_info)`;

const batches: Row = {
  title: 'Batches',
  panels: [
    table({
      title: 'Batches',
      description: 'All batches that are not over, and for a day those that are. A click on a name opens the batch.',
      unit: 'short',
      width: 24,
      height: 9,
      sortBy: 'Frozen for',
      columns: [
        { field: 'batch_id', title: 'Batch', link: { title: 'The batch', url: BATCH_PAGE } },
        { field: 'status', title: 'Status' },
        { field: 'Value #B', title: 'Lines with an outcome' },
        { field: 'Value #C', title: 'Staged events' },
        { field: 'Value #D', title: 'Duplicate ratio', unit: 'percentunit', steps: [[0.001, 'red']] },
        { field: 'Value #E', title: 'Failed gates', steps: [[1, 'red']] },
        { field: 'Value #F', title: 'Frozen for', unit: 's', steps: [[172_800, 'red']] },
      ],
      queries: [
        ['max by (batch_id, status) (backfill_batch_info)', ''],
        [perBatch('sum by (batch_id) (max by (batch_id, outcome) (backfill_batch_lines))'), ''],
        [perBatch('max by (batch_id) (backfill_staged_events)'), ''],
        [perBatch('max by (batch_id) (backfill_duplicate_ratio)'), ''],
        [perBatch('count by (batch_id) (min by (batch_id, gate) (backfill_gate_passed) == 0)'), ''],
        [perBatch('max by (batch_id) (backfill_freeze_age_seconds)'), ''],
      ],
    }),
    graph({
      title: 'Duplicate ratio',
      description:
        'Repeats inside a batch, and overlap beyond what it may have, as a share of its staged events. Above 0.1 % the alert fires, and the gate stops the publish.',
      unit: 'percentunit',
      width: 12,
      steps: [[0.001, 'red']],
      queries: [['max by (batch_id) (backfill_duplicate_ratio) or on() vector(0)', '{{batch_id}}']],
    }),
    graph({
      title: 'From the go of a publish until readers saw it',
      description:
        'Grows while a publish is under way. Each batch’s policy says how long it may take; a late one is an incident.',
      unit: 's',
      width: 12,
      queries: [
        ['max by (batch_id) (backfill_publish_visible_seconds) or on() vector(0)', '{{batch_id}}'],
        ['max(backfill_publish_visible_limit_seconds) or on() vector(0)', 'limit'],
      ],
    }),
  ],
};

const flow: Row = {
  title: 'Flow',
  panels: [
    graph({
      title: 'Lines per second',
      description: 'Raw lines by what became of them, counted when they are committed, over all sources and replicas.',
      unit: 'cps',
      width: 8,
      stacked: true,
      queries: [['sum by (outcome) (rate(backfill_lines_total[$__rate_interval])) or on() vector(0)', '{{outcome}}']],
    }),
    graph({
      title: 'Backlog',
      description: 'Stored bytes that wait for a stage. Does it not shrink, add replicas of the stage’s service.',
      unit: 'bytes',
      width: 8,
      queries: [['max by (stage) (backfill_backlog_bytes)', '{{stage}}']],
    }),
    graph({
      title: 'Oldest open piece of work',
      description: 'By kind of work; 0 when there is none. Above an hour the alert fires.',
      unit: 's',
      width: 8,
      steps: [[3_600, 'red']],
      queries: [['max by (stage) (backfill_oldest_open_chunk_age_seconds)', '{{stage}}']],
    }),
  ],
};

/** What an operator looks at first. */
export function overview(): Dashboard {
  return createDashboard({
    uid: UIDS.overview,
    title: 'Backfill: overview',
    description: 'What wants somebody’s attention, all batches, and how fast they get on.',
    rows: [now, batches, flow],
  });
}
