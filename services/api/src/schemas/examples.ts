import { EXAMPLE_BATCH } from './batch-example.ts';

const HASH = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';
const EVENT_ID = `app:20261101120000123:\\x${HASH}`;

const OVER_AGE = {
  bucket: 'analytics-raw',
  before: '2026-08-05T08:00:00.000Z',
  objects: 0,
  bytes: 0,
  oldest: null,
  inputs: [],
};

const RETENTION_RUN = {
  run_id: 7,
  requested_by: 'night-shift',
  requested_at: '2026-11-03T08:00:00.000Z',
  begun_at: '2026-11-03T08:00:01.000Z',
  ended_at: '2026-11-03T08:00:02.000Z',
  outcome: 'complete',
  problems: [],
  over_age: OVER_AGE,
  deletions: [
    {
      deletion_id: 31,
      kind: 'staging',
      what: 'staged rows',
      batch_id: 'lost-day',
      rule: 'staging_days',
      cut_off: '2026-10-27T08:00:00.000Z',
      rows: 488,
      objects: 0,
      bytes: 0,
      actor: 'rollback',
      begun_at: '2026-11-03T08:00:01.100Z',
      completed_at: '2026-11-03T08:00:01.200Z',
    },
  ],
};

const ERASURE = {
  erasure_id: 3,
  requested_by: 'privacy-office',
  requested_at: '2026-11-03T08:00:00.000Z',
  submitted_at: '2026-11-03T08:00:00.000Z',
  pseudonyms: 2,
  state: 'complete',
  waiting_for: [],
  search: 'done',
  ended_at: '2026-11-03T08:00:09.000Z',
  problems: [],
  receipts: [
    {
      store: 'events_log',
      batch_id: null,
      rows: 12,
      objects: 0,
      first_at: '2026-11-03T08:00:03.000Z',
      last_at: '2026-11-03T08:00:03.000Z',
    },
  ],
};

/** Bodies to send, by operation. */
export const SENT_EXAMPLES: Readonly<Record<string, unknown>> = {
  submitBatch: {
    batch_id: 'lost-day',
    source: 'app',
    reason: 'outage',
    input: 's3://analytics-raw/lost-day/',
    window: { start: '2026-11-01T00:00:00Z', end: '2026-11-02T00:00:00Z' },
    expected_events: 500,
    ticket: 'OPS-1234',
  },
  approveBatch: { stage: 'run', role: 'data_privacy_officer', decision: 'approve', comment: 'Looked at the plan' },
  recordRehearsal: { report: '{"version":2,"batch_id":"rehearsal-of-lost-day"}' },
  escalateBatch: { why: 'The duplicates are known and wanted' },
  decideEscalation: { role: 'product_owner', decision: 'Go on', why: 'The source sends twice by design' },
  closeIncident: { note: 'https://wiki.example.org/post-mortem-3' },
  haltBatch: { reason: 'The source is being repaired' },
  limitImport: { events: 1_000 },
  resumeBatch: {},
  verifyBatch: {},
  publishBatch: {},
  rollBackBatch: { mode: 'tombstone' },
  runRetention: {},
  eraseSubject: { subject: 'user-4711' },
};

/** Answers that are not a batch in full, by operation. */
export const ANSWERED_EXAMPLES: Readonly<Record<string, unknown>> = {
  listBatches: { batches: [EXAMPLE_BATCH], next_cursor: null },
  traceEvent: {
    event_id: EVENT_ID,
    state: 'live',
    owner: 'lost-day',
    owner_kind: 'batch',
    event_name: 'item_viewed',
    schema_version: '1-0-0',
    source_file: '2026-11-01.ndjson.gz',
    line_no: 17,
    raw_line: '{"event":"item_viewed","user":"***"}',
    raw_line_missing: null,
    lines: [],
    stored: [
      {
        batch_id: 'lost-day',
        schema_version: '1-0-0',
        ingested_at: '2026-11-03T09:00:00.000Z',
        deleted_at: null,
        replaced_by: null,
      },
    ],
    losers: [],
    handovers: [],
    approvals: [],
  },
  listFreezes: {
    freezes: [
      {
        batch_id: 'lost-day',
        source: 'app',
        window: { start: '2026-11-01T00:00:00.000Z', end: '2026-11-02T00:00:00.000Z' },
        reason: 'being imported',
        frozen_at: '2026-11-03T08:02:30.000Z',
        extended_at: null,
      },
    ],
  },
  getRetention: {
    at: '2026-11-03T08:00:00.000Z',
    cut_offs: {
      staging: '2026-10-27T08:00:00.000Z',
      raw: '2026-08-05T08:00:00.000Z',
      events: '2024-11-03T08:00:00.000Z',
    },
    due: [],
    held: [],
    over_age: OVER_AGE,
    last_run_at: null,
  },
  runRetention: RETENTION_RUN,
  getRetentionRun: RETENTION_RUN,
  eraseSubject: ERASURE,
  getErasure: ERASURE,
};
