import { getBatch } from '@backfill/core/db/queries/batch-get';
import type { BatchReader } from '@backfill/core/dispatch/read-for-batch';
import type { Runtime } from '@backfill/core/runtime/runtime';
import { archiveLayout, CSV_REPORT } from '@backfill/core/storage/layout';
import { csvReport } from './csv-report.ts';
import { countDays } from './day-counts.ts';
import { peopleSection } from './people-section.ts';

const GATES_SQL = `
  select gate, threshold, observed, passed, procedure, detail, measured_at
    from analytics.backfill_gate_results r
   where batch_id = $1 and attempt = $2
     and run_no = (select max(run_no) from analytics.backfill_gate_results where batch_id = $1 and attempt = $2)
   order by gate`;

/** What a report that is written for a batch under way stops with. */
export interface ReportWork {
  read: BatchReader;
  signal: AbortSignal;
}

/**
 * Writes the batch's report into the archive, as JSON and CSV, in place of an earlier one.
 *
 * @param work absent where the batch rests
 */
export async function writeReport(runtime: Runtime, batchId: string, work?: ReportWork): Promise<void> {
  const { pool, store, config } = runtime;
  const batch = await getBatch(pool, batchId);
  if (batch === undefined) return;
  const isCounted = batch.status === 'published' || batch.status === 'rolled_back';
  const days = await (work === undefined
    ? countDays(pool, batchId, isCounted)
    : work.read((client) => countDays(client, batchId, isCounted)));
  // All that led to this report is before it in the chain.
  const auditHead = await runtime.sealer.seal();
  const { rows: gates } = await pool.query(GATES_SQL, [batchId, batch.attempt]);
  const report = {
    version: 1,
    batch_id: batchId,
    source: batch.source,
    attempt: batch.attempt,
    status: batch.status,
    window: { start: batch.window_start, end: batch.window_end },
    plan_hash: batch.plan_hash,
    gate_set_hash: batch.gate_set_hash,
    rows: batch.row_count,
    checksum: batch.checksum,
    ...(await peopleSection(pool, batchId)),
    gates,
    days,
    audit_head: auditHead,
  };
  const { archiveBucket } = config.storage;
  const csv = csvReport({ batchId, source: batch.source }, days, isCounted);
  work?.signal.throwIfAborted();
  await store.put(archiveBucket, archiveLayout.report(batchId, CSV_REPORT), Buffer.from(csv), 'text/csv');
  await store.put(
    archiveBucket,
    archiveLayout.report(batchId, 'report.json'),
    Buffer.from(`${JSON.stringify(report, null, 2)}\n`),
    'application/json',
  );
}
