import type {
  DayCount,
  KpiDay,
  Report,
  ReportBalance,
  ReportFile,
  ReportGate,
  ReportPublish,
  ReportRollback,
} from './report.ts';
import { MASK, type Samples } from './samples.ts';
import { judge } from './verdict.ts';

const HASH = (sign: string) => sign.repeat(64);
const DAY_MS = 86_400_000;

/** A gate as the report has it, passed unless it says otherwise. */
export function testGate(
  gate: string,
  threshold: number,
  observed: number,
  changes: Partial<ReportGate> = {},
): ReportGate {
  return {
    ...{ gate, threshold, observed, passed: true, procedure: `select count(*) -- ${gate}`, detail: { rows: 4_711 } },
    measured_at: '2026-11-03T09:15:00.000Z',
    ...changes,
  };
}

/** Events of so many types on so many days from 1 November 2026. */
export function testDays(days: number, types: number): DayCount[] {
  return Array.from({ length: days * types }, (_, at) => {
    const day = Math.floor(at / types);
    const type = at % types;
    const lost = Math.abs(day - days / 2) < Math.max(1, days / 8);
    const normal = Math.round((1_200 + 300 * Math.sin(day / 3.5)) / (type + 1));
    return {
      event_name: types === 1 ? 'page_viewed' : `event_of_type_${String(type + 1).padStart(2, '0')}`,
      day: new Date(Date.UTC(2026, 10, 1) + day * DAY_MS).toISOString().slice(0, 10),
      pre_count: lost ? Math.round(normal / 12) : normal,
      ...{ staged: lost ? normal : 0, duplicates: 0, batch_count: lost ? normal : 0 },
    };
  });
}

/** A KPI around one lost day. */
export function testKpiDays(scale: number): KpiDay[] {
  return Array.from({ length: 9 }, (_, at) => {
    const normal = scale * (1 + 0.06 * Math.sin(at * 1.7));
    const isLost = at === 4;
    return {
      day: `2026-11-${String(at + 1).padStart(2, '0')}`,
      in_window: isLost,
      live: isLost ? normal * 0.31 : normal,
      proposed: normal,
      baseline: normal * (isLost ? 1.004 : 1),
      baseline_source: isLost ? 'median of four unaffected Thursdays' : 'unaffected neighbour',
    };
  });
}

export const EMPTY_BALANCE: ReportBalance = {
  ...{ read: 0, inserted: 0, duplicate: 0, same_batch: 0, other_batch: 0, live: 0 },
  ...{ suppressed: 0, expired: 0, filtered: 0, quarantined: 0 },
};

export const TEST_BALANCE: ReportBalance = {
  ...{ read: 1_048_210, inserted: 1_001_340, duplicate: 812, same_batch: 101, other_batch: 0, live: 711 },
  ...{ suppressed: 1_903, expired: 120, filtered: 42_500, quarantined: 1_535 },
};

/** So many files that make up {@link TEST_BALANCE}. */
export function testFiles(count: number): ReportFile[] {
  const share = (lines: number, at: number) =>
    Math.floor((lines * (at + 1)) / count) - Math.floor((lines * at) / count);
  return Array.from({ length: count }, (_, at) => ({
    source_file: `2026/11/01/app-${String(at).padStart(3, '0')}.ndjson.gz`,
    ...{ size: 1_000_000, sha256: HASH('a'), format: 'ndjson', compression: 'gzip', copy_sha256: null },
    ...(Object.fromEntries(
      Object.entries(TEST_BALANCE).map(([outcome, lines]) => [outcome, share(lines, at)]),
    ) as unknown as ReportBalance),
  }));
}

/** A report of a batch that waits for its signatures, with what a test changes in it. */
export function testReport(changes: Partial<Omit<Report, 'verdict'>> = {}): Report {
  const report: Omit<Report, 'verdict'> = {
    version: 2,
    ...{ batch_id: 'outage-2026-11-01', source: 'app', reason: 'outage', submitted_by: 'dana', attempt: 1 },
    ...{ status: 'awaiting_publish_approval', status_reason: null, written_at: '2026-11-03T09:15:30.000Z' },
    window: { start: '2026-11-01T00:00:00.000Z', end: '2026-11-02T00:00:00.000Z' },
    ...{ plan_hash: HASH('1'), recipe_hash: HASH('2'), gate_set_hash: HASH('3'), rows_digest: HASH('4') },
    ...{ raw_checksum: HASH('5'), mirror_checksum: HASH('5'), rows: 1_001_340, checksum: HASH('6') },
    balance: TEST_BALANCE,
    files: testFiles(3),
    gates: [
      testGate('balance', 0, 0),
      testGate('recount', 0, 0),
      testGate('sample', 0, 0),
      testGate('duplicates', 0.001, 0.000101),
      testGate('overlap', 0.001, 0.00071),
      testGate('schema', 1, 1),
      testGate('identity', 0, 0),
      testGate('volume', 0.02, 0.0043),
      testGate('freshness', 30, 4.2),
      testGate('daily_active_sessions', 0.015, 0.004),
      testGate('activation_funnel', 0.005, 0, { detail: { not_applicable: 'an app without an account' } }),
    ],
    kpis: [
      { kpi: 'daily_active_sessions', days: testKpiDays(48_000) },
      { kpi: 'activation_funnel', days: testKpiDays(0.23) },
    ],
    days: testDays(21, 6),
    is_counted: false,
    approvals: [
      {
        ...{ stage: 'run', role: 'data_privacy_officer', actor: 'priya', decision: 'approve', gate: null },
        ...{ bound_hash: HASH('1'), comment: 'No new fields.', at: '2026-11-03T08:02:00.000Z', counts: true },
      },
    ],
    missing_approvals: { run: [], publish: ['data_engineering_lead', 'product_analytics_manager'], override: [] },
    rollback: null,
    incidents: [],
    ...{ rehearsal: null, freeze: null, escalations: [], publish: null },
    is_frozen: true,
    audit_head: {
      ...{ version: 1, chain_no: 1_204, mac: HASH('7'), sealed_at: '2026-11-03T09:15:29.000Z' },
      ...{ key_check: HASH('8'), proof: HASH('9') },
    },
    samples: {
      ...{ events: 2, key: `reports/outage-2026-11-01/samples-${HASH('b')}.json`, sha256: HASH('b'), state: 'stored' },
    },
    ...changes,
  };
  return { ...report, verdict: judge({ ...report, import_limit: null, canary_passed: true }) };
}

/** What a publish is on record as, with what a test changes in it. */
export function testPublish(changes: Partial<ReportPublish> = {}): ReportPublish {
  return {
    ...{ step: 'done', outcome: 'published', go_by: 'oscar', go_at: '2026-11-03T10:00:00.000Z', visible_seconds: 41.5 },
    ...{ snapshot_path: 's3://analytics-backfill/snapshots/b/1.ndjson.gz', snapshot_sha256: HASH('a') },
    ...{ snapshot_rows: 83_412, published: 1_001_330, taken_over: 4, newly_suppressed: 7, newly_live: 3 },
    ...{ withheld: 2, counted: 1_001_330 },
    ...changes,
  };
}

/** A report of a batch that takes the place of another one. */
export function replacingReport(changes: Partial<Report> = {}): Report {
  const days = testDays(21, 6).map((day) => ({ ...day, pre_count: day.pre_count + 40, replaced: 40 }));
  const detail = {
    ...{ replaces: { batch_id: 'outage-2026-10-30' }, rows: 40 * days.length, fingerprint: '5040:17' },
    changes: days.map(({ event_name, day, batch_count }) => ({
      ...{ event_name, day, replaced: 40, proposed: batch_count, identical: 20, changed: 15, gone: 5 },
      added: Math.max(0, batch_count - 35),
    })),
  };
  return testReport({
    ...{ batch_id: 'reprocess-2026-11-01', reason: 'reprocess', days, replacement: detail },
    gates: [...testReport().gates, testGate('replaces', 0, 0, { detail })],
    ...changes,
  });
}

/** A report of a batch about which people were not of one mind. */
export function disputedReport(): Report {
  const sessions = testGate('daily_active_sessions', 0.015, 0.031, {
    passed: false,
    detail: { needs_override: true, why: 'only the median of other weeks is there to compare with' },
  });
  return testReport({
    ...{ batch_id: 'disputed', status: 'gates_failed', status_reason: 'daily_active_sessions: 0.031 observed' },
    gates: [...testReport().gates.filter(({ gate }) => gate !== sessions.gate), sessions],
    approvals: [
      ...testReport().approvals,
      {
        ...{ stage: 'override', role: 'product_analytics_manager', actor: 'pat', decision: 'reject' },
        ...{ gate: sessions.gate, bound_hash: HASH('d'), comment: 'There was a campaign.', counts: false },
        at: '2026-11-03T08:40:00.000Z',
      },
    ],
    missing_approvals: {
      ...{ run: [], publish: ['data_engineering_lead'] },
      override: [{ gate: sessions.gate, role: 'product_analytics_manager' }],
    },
    rehearsal: {
      required: true,
      recorded: {
        ...{ rehearsed_batch_id: 'dress-2026-11-01', rehearsed_gate_set_hash: HASH('e'), report_sha256: HASH('f') },
        ...{ report_path: 's3://analytics-backfill/rehearsals/disputed/f.json', recorded_by: 'oscar' },
        recorded_at: '2026-11-03T07:30:00.000Z',
      },
    },
    escalations: [
      {
        ...{ escalation_no: 1, about: 'rejected', status_reason: 'rejected by legal_counsel_privacy: which consent?' },
        ...{
          raised_by: 'oscar',
          why: 'The consent of 2024 covers these events.',
          raised_at: '2026-11-03T07:50:00.000Z',
        },
        decision: {
          ...{ role: 'data_privacy_officer', decided_by: 'priya', decision: 'go on', why: 'It does.' },
          decided_at: '2026-11-03T07:58:00.000Z',
        },
      },
      {
        ...{ escalation_no: 2, about: 'gates_failed', status_reason: null, raised_by: 'dana' },
        ...{ why: 'Nobody counted the sessions of that day.', raised_at: '2026-11-03T09:20:00.000Z', decision: null },
      },
    ],
  });
}

/** Two samples, one of which is not what its line gives. */
export function testSamples(): Samples {
  const sample = {
    event_id: `app:20261101100000000:\\x${HASH('c')}`,
    ...{ source_file: '2026/11/01/app-000.ndjson.gz', line_no: 48_211, format: 'ndjson' },
    raw_line: `{"id":"r1","name":"Page Viewed","ts":"2026-11-01T10:00:00.000Z","session":{"id":"${MASK}"},"user":{"id":"${MASK}","${MASK}":"${MASK}"},"data":{"path":"/pricing${MASK}"},"${MASK}":"${MASK}"}`,
    row: {
      ...{ source: 'app', event_name: 'page_viewed', schema_version: '1-0-0', event_ts: '2026-11-01T10:00:00.000Z' },
      ...{ session_id: 'p1_AAAAAAAAAAAAAAAAAAAAAA', subject_id: 'p1_BBBBBBBBBBBBBBBBBBBBBB' },
      payload:
        '{"event_name":"page_viewed","properties":{"path":"/pricing"},"record_id":"r1","session_id":"p1_AAAAAAAAAAAAAAAAAAAAAA","subject_id":"p1_BBBBBBBBBBBBBBBBBBBBBB"}',
    },
    ...{ matches: true, problems: [] },
  };
  const wrong = { ...sample, line_no: 7, matches: false, problems: ['subject_id is another one'] };
  return {
    ...{ version: 1, batch_id: 'outage-2026-11-01', plan_hash: HASH('1'), rows_digest: HASH('4') },
    samples: [sample, { ...wrong, row: { ...sample.row, subject_id: MASK } }],
  };
}

/** The rollback of a batch of ten events, by its snapshot. */
export function testRollback(changes: Partial<ReportRollback> = {}): ReportRollback {
  return {
    ...{ mode: 'snapshot', actor: 'olga', rolled_back_at: '2026-11-03T10:00:00.000Z' },
    ...{
      tombstoned: 10,
      handed_over: 6,
      keys_freed: 10,
      live_rows_after: 0,
      keys_after: 0,
      left_outside: 0,
      jobs_after: 0,
    },
    ...{ others_before: '40:12', others_after: '40:12', others_recent: 3 },
    replaced: null,
    snapshot: {
      ...{ publish_id: 1, path: 's3://archive/snapshots/b/1.ndjson.gz', sha256: 'f00d' },
      taken_at: '2026-11-03T09:00:00.000Z',
      ...{ rows: 50, kept: 40, restored: 3, suppressed: 4, expired: 2, taken_back: 1, own: 0 },
      ...{ since: { '(live)': 2 }, since_examples: ['app:20261101000000000:\\x00'] },
    },
    ...changes,
  };
}
