import {
  type Dashboard,
  QueryVariableBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { createDashboard, type Row, UIDS } from './create-dashboard.ts';
import { bars, DATASOURCE, graph, stat, states, valueMap } from './panels.ts';

const BATCH = 'batch_id="$batch_id"';
const IDS = 'label_values(backfill_batch_info, batch_id)';

function batchVariable(): QueryVariableBuilder {
  return new QueryVariableBuilder('batch_id')
    .label('Batch')
    .datasource(DATASOURCE)
    .definition(IDS)
    .query({ qryType: 1, query: IDS, refId: 'PrometheusVariableQueryEditor-VariableQuery' })
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc);
}

const now: Row = {
  title: '$batch_id',
  panels: [
    stat({
      title: 'Status',
      description: 'Where the batch is on its way. `backfill status` says what is next and who has to do it.',
      unit: 'short',
      width: 6,
      showName: true,
      queries: [[`max by (status) (backfill_batch_info{${BATCH}})`, '{{status}}']],
    }),
    stat({
      title: 'Lines with an outcome',
      description: 'Raw lines of imported parts. Each has ended in exactly one outcome.',
      unit: 'short',
      width: 3,
      queries: [[`sum(max by (outcome) (backfill_batch_lines{${BATCH}})) or vector(0)`, 'lines']],
    }),
    stat({
      title: 'Staged events',
      description: 'Events in staging, duplicates included.',
      unit: 'short',
      width: 3,
      queries: [[`max(backfill_staged_events{${BATCH}}) or vector(0)`, 'events']],
    }),
    stat({
      title: 'Duplicate ratio',
      description:
        'Repeats, and overlap beyond what the batch may have, as a share of its staged events. At most 0.1 %.',
      unit: 'percentunit',
      width: 3,
      steps: [[0.001_000_1, 'red']],
      queries: [[`max(backfill_duplicate_ratio{${BATCH}}) or vector(0)`, 'ratio']],
    }),
    stat({
      title: 'Failed gates',
      description:
        'Gates of the last verification that have not passed. The report says what was observed and allowed.',
      unit: 'short',
      width: 3,
      steps: [[1, 'red']],
      queries: [[`count(min by (gate) (backfill_gate_passed{${BATCH}}) == 0) or vector(0)`, 'gates']],
    }),
    stat({
      title: 'Frozen for',
      description: 'For how long readers have been told not to trust the window; 0 when they may.',
      unit: 's',
      width: 3,
      steps: [[172_800, 'red']],
      queries: [[`max(backfill_freeze_age_seconds{${BATCH}}) or vector(0)`, 'frozen']],
    }),
    stat({
      title: 'Publish visible after',
      description: 'From the go until readers saw the events; 0 before the go.',
      unit: 's',
      width: 3,
      queries: [[`max(backfill_publish_visible_seconds{${BATCH}}) or vector(0)`, 'seconds']],
    }),
  ],
};

const done = `max by (piece) (backfill_batch_pieces{${BATCH},state="done"})`;
const all = `sum by (piece) (max by (piece, state) (backfill_batch_pieces{${BATCH}}))`;

const progress: Row = {
  title: 'Progress',
  panels: [
    bars({
      title: 'Done so far',
      description:
        'Files that are mirrored, chunks that are transformed, and parts that are imported, of those known so far.',
      unit: 'percentunit',
      width: 6,
      max: 1,
      queries: [[`${done} / clamp_min(${all}, 1)`, '{{piece}}s']],
    }),
    graph({
      title: 'Lines by outcome',
      description: 'Lines of imported parts. Their sum is what was read; a batch whose sum does not agree is stopped.',
      unit: 'short',
      width: 9,
      stacked: true,
      queries: [[`max by (outcome) (backfill_batch_lines{${BATCH}}) or on() vector(0)`, '{{outcome}}']],
    }),
    graph({
      title: 'Lines per second',
      description: 'How fast outcomes become final.',
      unit: 'cps',
      width: 9,
      queries: [
        [
          `clamp_min(deriv(sum(max by (outcome) (backfill_batch_lines{${BATCH}}))[$__rate_interval:]), 0) or on() vector(0)`,
          'lines',
        ],
      ],
    }),
  ],
};

const proof: Row = {
  title: 'Proof',
  panels: [
    states({
      title: 'Gates',
      description: 'Each gate of the last verification. A gate that has not passed stops the publish.',
      unit: 'short',
      width: 12,
      height: 10,
      steps: [[1, 'green']],
      mappings: [
        valueMap({
          '-1': { text: 'not measured yet', color: 'text' },
          '0': { text: 'not passed', color: 'red' },
          '1': { text: 'passed', color: 'green' },
        }),
      ],
      queries: [[`min by (gate) (backfill_gate_passed{${BATCH}}) or on() vector(-1)`, '{{gate}}']],
    }),
    graph({
      title: 'Duplicates by who else delivered the event',
      description:
        '`same_batch` are repeats in the raw logs and count in full; `other_batch` and `live` are overlap, and count beyond what the batch may have.',
      unit: 'short',
      width: 12,
      height: 10,
      stacked: true,
      queries: [[`max by (kind) (backfill_duplicate_events{${BATCH}}) or on() vector(0)`, '{{kind}}']],
    }),
    states({
      title: 'Status over time',
      description: 'Which status the batch had when.',
      unit: 'short',
      width: 24,
      height: 6,
      mappings: [valueMap({ '1': { text: ' ', color: 'blue' } })],
      queries: [[`max by (status) (backfill_batch_info{${BATCH}})`, '{{status}}']],
    }),
  ],
};

/** Everything about one batch. */
export function oneBatch(): Dashboard {
  return createDashboard({
    uid: UIDS.batch,
    title: 'Backfill: one batch',
    description:
      'A batch on its way: status, progress, balance, duplicates and gates. Its series end a day after the batch.',
    variables: [batchVariable()],
    rows: [now, progress, proof],
  });
}
