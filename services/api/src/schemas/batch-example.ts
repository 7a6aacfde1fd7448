const HASH = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';
const BALANCE = { read: 500, inserted: 488, duplicate: 4, suppressed: 1, expired: 0, filtered: 5, quarantined: 2 };

/** A batch that waits for its publish approvals, as the list shows it. */
export const EXAMPLE_BATCH = {
  batch_id: 'lost-day',
  source: 'app',
  reason: 'outage',
  input: 's3://analytics-raw/lost-day/',
  status: 'awaiting_publish_approval',
  status_reason: null,
  resume_status: null,
  window: { start: '2026-11-01T00:00:00.000Z', end: '2026-11-02T00:00:00.000Z' },
  replaces: null,
  replaced_by: null,
  submitted_by: 'night-shift',
  created_at: '2026-11-03T08:00:00.000Z',
  updated_at: '2026-11-03T08:04:11.120Z',
  attempt: 1,
  plan_hash: HASH,
  gate_set_hash: HASH,
  checksum: HASH,
  row_count: 488,
  canary_passed: true,
  import_limit: null,
  progress: {
    chunks_total: 1,
    chunks_done: 1,
    lines_read: 500,
    files_total: 1,
    files_mirrored: 1,
    parts_total: 1,
    parts_imported: 1,
  },
  balance: BALANCE,
  duplicates: { same_batch: 0, other_batch: 0, live: 4 },
  gates: [
    {
      gate: 'duplicates',
      threshold: 0.001,
      observed: 0,
      passed: true,
      procedure: 'select …',
      detail: { staged: 492 },
      measured_at: '2026-11-03T08:04:10.000Z',
    },
  ],
  approvals: [
    {
      stage: 'run',
      role: 'data_privacy_officer',
      actor: 'privacy-office',
      decision: 'approve',
      at: '2026-11-03T08:02:00.000Z',
      gate: null,
      comment: null,
      counts: true,
    },
  ],
  missing_approvals: { run: [], publish: ['data_engineering_lead', 'product_analytics_manager'], override: [] },
  rollback: null,
};

/** The same batch in full. */
export const EXAMPLE_BATCH_DETAIL = {
  ...EXAMPLE_BATCH,
  rehearsal: { recipe_hash: HASH, required: false, recorded: null },
  freeze: null,
  incidents: [],
  escalations: [],
  publish: null,
  next_calls: ['POST /v1/batches/lost-day/approvals', 'POST /v1/batches/lost-day/rollback'],
  files: [
    {
      source_file: '2026-11-01.ndjson.gz',
      size: 48_211,
      sha256: HASH,
      compression: 'gzip',
      format: 'ndjson',
      lines: 500,
      copy: null,
      balance: BALANCE,
    },
  ],
};
