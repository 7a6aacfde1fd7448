import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { createDashboard, type Row, UIDS } from './create-dashboard.ts';
import { bars, graph, stat, table, valueMap } from './panels.ts';

const promises: Row = {
  title: 'Promises',
  panels: [
    stat({
      title: 'Residency refusals, 24 hours',
      description: 'Batches and requests that would have read or written where the policy does not allow data to be.',
      unit: 'short',
      width: 6,
      steps: [[0.5, 'red']],
      queries: [['sum(increase(backfill_residency_refusals_total[24h])) or vector(0)', 'refusals']],
    }),
    stat({
      title: 'Retention last left nothing',
      description:
        'Time since a run of retention deleted all that was due. It runs once an hour; after two the alert fires.',
      unit: 's',
      width: 6,
      steps: [[7_200, 'red']],
      mappings: [valueMap({ '-1': { text: 'never', color: 'red' } })],
      queries: [['time() - max(backfill_retention_last_run_timestamp_seconds) or vector(-1)', 'ago']],
    }),
    stat({
      title: 'Raw objects past their limit',
      description:
        'Objects of the raw bucket that are too old, at the last retention run. They are reported and never touched.',
      unit: 'short',
      width: 6,
      steps: [[1, 'orange']],
      queries: [['max(backfill_raw_over_age_objects)', 'objects']],
    }),
    stat({
      title: 'Sealed entries that are gone',
      description:
        'Times in 24 hours that the last sealed entry of the audit log was missing: somebody changed the log.',
      unit: 'short',
      width: 6,
      steps: [[0.5, 'red']],
      queries: [['sum(increase(backfill_audit_losses_total[24h])) or vector(0)', 'losses']],
    }),
    stat({
      title: 'Open erasures',
      description: 'People who are being forgotten. Nothing of them is published from the moment they were submitted.',
      unit: 'short',
      width: 6,
      queries: [['max(backfill_erasures{state="open"})', 'open']],
    }),
    stat({
      title: 'Incomplete erasures',
      description: 'Ended with something left that only the clear id can find: submit it again.',
      unit: 'short',
      width: 6,
      steps: [[1, 'red']],
      queries: [['max(backfill_erasures{state="incomplete"})', 'incomplete']],
    }),
    stat({
      title: 'Oldest open erasure',
      description: 'Since its clear id was submitted last; 0 when none is open.',
      unit: 's',
      width: 6,
      steps: [[86_400, 'red']],
      queries: [['max(backfill_oldest_open_erasure_age_seconds)', 'age']],
    }),
    stat({
      title: 'Oldest unsealed audit entry',
      description: 'Entries are sealed within seconds. What is not sealed is not protected against changes.',
      unit: 's',
      width: 6,
      steps: [[300, 'red']],
      queries: [['max(backfill_audit_oldest_unsealed_age_seconds)', 'age']],
    }),
  ],
};

const lines: Row = {
  title: 'Lines that were not stored',
  panels: [
    bars({
      title: 'For privacy, by batch',
      description: '`suppressed`: of people who asked not to be stored; `expired`: past the retention period.',
      unit: 'short',
      width: 8,
      queries: [
        [
          'max by (batch_id, outcome) (backfill_batch_lines{outcome=~"suppressed|expired"}) or on() vector(0)',
          '{{batch_id}} {{outcome}}',
        ],
      ],
    }),
    bars({
      title: 'Quarantined, by batch',
      description: 'Unreadable, against the schema, or with personal data where none may be. Only reasons are kept.',
      unit: 'short',
      width: 8,
      queries: [['max by (batch_id) (backfill_batch_lines{outcome="quarantined"}) or on() vector(0)', '{{batch_id}}']],
    }),
    graph({
      title: 'Per second, by source',
      description: 'Lines that end without an event, as transformers commit them.',
      unit: 'cps',
      width: 8,
      queries: [
        [
          'sum by (source, outcome) (rate(backfill_lines_total{outcome=~"suppressed|expired|quarantined|filtered"}[$__rate_interval])) or on() vector(0)',
          '{{source}} {{outcome}}',
        ],
      ],
    }),
  ],
};

const trust: Row = {
  title: 'Trust',
  panels: [
    table({
      title: 'Frozen windows',
      description: 'Windows that readers must not trust yet, and for how long. After two days the alert fires.',
      unit: 's',
      width: 8,
      sortBy: 'Frozen for',
      columns: [
        { field: 'batch_id', title: 'Batch' },
        { field: 'Value', title: 'Frozen for', unit: 's', steps: [[172_800, 'red']] },
      ],
      queries: [
        [
          'max by (batch_id) (backfill_freeze_age_seconds) or on() label_replace(vector(0), "batch_id", "none", "", "")',
          '',
        ],
      ],
    }),
    bars({
      title: 'Open incidents',
      description: 'By kind, until their post-mortem is written: `backfill incident B --close N --note URL`.',
      unit: 'short',
      width: 8,
      steps: [[1, 'orange']],
      queries: [['max by (kind) (backfill_open_incidents)', '{{kind}}']],
    }),
    graph({
      title: 'Audit entries without a seal',
      description:
        'A few for a moment are normal. A line that grows means that no service seals: `backfill doctor` says why.',
      unit: 'short',
      width: 8,
      queries: [['max(backfill_audit_unsealed_entries)', 'entries']],
    }),
  ],
};

/** What was promised to people, auditors and regulators. */
export function privacyAndResidency(): Dashboard {
  return createDashboard({
    uid: UIDS.privacy,
    title: 'Backfill: privacy and residency',
    description: 'Refusals, retention, erasures, the audit log, and what readers are told not to trust.',
    rows: [promises, lines, trust],
  });
}
