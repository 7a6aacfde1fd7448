import type { Queryable } from '@backfill/core/db/pool';
import { listBatchBalances } from '@backfill/core/db/queries/balance-by-batch-list';
import { listFileBalances } from '@backfill/core/db/queries/balance-by-file-list';
import { type BatchRow, getBatch } from '@backfill/core/db/queries/batch-get';
import { listRollbacks } from '@backfill/core/db/queries/batch-view-rollback-list';
import { listFiles } from '@backfill/core/db/queries/file-list';
import { type GateResultRow, listGateResults } from '@backfill/core/db/queries/gate-result-list';
import { listMirrorObjects } from '@backfill/core/db/queries/mirror-object-list';
import type { AnchoredHead } from '@backfill/core/domain/audit-chain';
import { findReplacement } from '@backfill/core/domain/replacement-change';
import { manifestChecksum } from '@backfill/core/plan/plan';
import type { DayCount, Report, SamplesState } from '@backfill/core/report/report';
import type { SamplesReference } from '@backfill/core/report/samples';
import { judge } from '@backfill/core/report/verdict';
import { peopleSection } from './people-section.ts';
import { reportBalance, reportFile, reportGate, reportKpis, reportRollback, samplesReference } from './report-parts.ts';

/** What a report has from elsewhere than the tables of its batch. */
export interface ReportSurroundings {
  days: DayCount[];
  isCounted: boolean;
  auditHead: AnchoredHead | null;
  /** Looks whether the samples' object is still there. */
  samplesState(reference: SamplesReference): Promise<SamplesState>;
}

async function readHashes(db: Queryable, { batch_id: batchId, ...batch }: BatchRow) {
  const files = await listFiles(db, batchId);
  const mirror = await listMirrorObjects(db, batchId);
  return {
    plan_hash: batch.plan_hash,
    gate_set_hash: batch.gate_set_hash,
    rows_digest: batch.rows_digest,
    raw_checksum: files.length === 0 ? null : manifestChecksum(files),
    mirror_checksum: mirror.length === 0 ? null : manifestChecksum(mirror),
    checksum: batch.checksum,
  };
}

async function readPeople(db: Queryable, batch: BatchRow, gates: readonly GateResultRow[]) {
  const section = await peopleSection(db, batch, gates);
  return {
    ...section,
    is_frozen: section.freeze !== null,
    rollback: reportRollback((await listRollbacks(db, [batch.batch_id]))[0]),
  };
}

/** The batch's report as things stand; undefined when there is no such batch. */
export async function readReport(
  db: Queryable,
  batchId: string,
  { days, isCounted, auditHead, samplesState }: ReportSurroundings,
): Promise<Report | undefined> {
  const batch = await getBatch(db, batchId);
  if (batch === undefined) return undefined;
  const results = await listGateResults(db, [batchId]);
  const gates = results.map(reportGate);
  const reference = samplesReference(gates);
  const { source, reason, submitted_by, attempt, status, status_reason } = batch;
  const facts = {
    ...{ batch_id: batchId, source, reason, submitted_by, attempt, status, status_reason },
    replaced_by: batch.replaced_by,
    written_at: new Date().toISOString(),
    window: { start: batch.window_start.toISOString(), end: batch.window_end.toISOString() },
    rows: batch.row_count,
    ...(await readHashes(db, batch)),
    ...(await readPeople(db, batch, results)),
    balance: reportBalance((await listBatchBalances(db, [batchId]))[0]),
    files: (await listFileBalances(db, batchId)).map(reportFile),
  };
  const { import_limit, canary_passed } = batch;
  return {
    version: 2,
    verdict: judge({ ...facts, gates, import_limit, canary_passed }),
    ...facts,
    ...{
      gates,
      replacement: findReplacement(gates) ?? null,
      kpis: reportKpis(gates),
      days,
      is_counted: isCounted,
      audit_head: auditHead,
    },
    samples: reference === undefined ? null : { ...reference, state: await samplesState(reference) },
  };
}
