import type { BatchDetail } from './batch-view.ts';

/** A batch in the middle of its import, for tests; with other values where they are given. */
export function exampleBatch(changes: Partial<BatchDetail> = {}): BatchDetail {
  const balance = {
    read: 500,
    inserted: 450,
    duplicate: 10,
    suppressed: 1,
    expired: 2,
    filtered: 30,
    quarantined: 7,
  };
  return {
    batch_id: 'b1',
    source: 'app',
    status: 'importing',
    status_reason: null,
    plan_hash: 'f00d',
    window: { start: '2026-08-01T00:00:00.000Z', end: '2026-08-02T00:00:00.000Z' },
    created_at: '2026-08-03T10:11:12.000Z',
    progress: { chunks_total: 2, chunks_done: 1, lines_read: 1_000 },
    balance,
    duplicates: { same_batch: 8, other_batch: 0, live: 2 },
    canary_passed: true,
    import_limit: null,
    gates: [],
    approvals: [],
    missing_approvals: { run: [], publish: ['data_engineering_lead'] },
    rollback: null,
    files: [
      { source_file: 'a.ndjson', format: 'ndjson', lines: 1_000, balance },
      { source_file: 'b.ndjson', format: 'ndjson', lines: 1_000, balance: { ...balance, read: 501 } },
    ],
    ...changes,
  };
}
