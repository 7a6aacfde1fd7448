import { getBatch } from '@backfill/core/db/queries/batch-get';
import { type BatchReader, createReader } from '@backfill/core/dispatch/read-for-batch';
import type { BatchStatus } from '@backfill/core/domain/batch-status';
import type { Runtime } from '@backfill/core/runtime/runtime';
import { archiveLayout, CSV_REPORT } from '@backfill/core/storage/layout';
import { csvReport } from './csv-report.ts';
import { countDays } from './day-counts.ts';
import { readReport } from './read-report.ts';

/** What a report that is written for a batch under way stops with. */
export interface ReportWork {
  read: BatchReader;
  signal: AbortSignal;
}

/**
 * Writes the batch's report into the archive, as JSON, CSV and a page, in place of an earlier one. The page holds no
 * samples, which may have to be erased: the API puts them in when it serves it.
 *
 * @param work absent where the batch rests
 * @returns the batch's status, as it stands in the report; undefined when there is no such batch
 */
export async function writeReport(
  runtime: Runtime,
  batchId: string,
  work?: ReportWork,
): Promise<BatchStatus | undefined> {
  const { pool, store, config } = runtime;
  const { archiveBucket } = config.storage;
  const batch = await getBatch(pool, batchId);
  if (batch === undefined) return undefined;
  const isCounted = batch.status === 'published' || batch.status === 'rolled_back';
  const read = work?.read ?? createReader(pool);
  const days = await read((client) => countDays(client, batch, isCounted));
  const report = await readReport(pool, batchId, {
    ...{ days, isCounted },
    // All that led to this report is before it in the chain.
    auditHead: await runtime.sealer.seal(),
    samplesState: async ({ key }) =>
      (await store.exists(archiveBucket, key, work?.signal)) ? 'stored' : 'expired or erased',
  });
  if (report === undefined) return undefined;
  // Not before the first report: the library of the charts takes memory.
  const { renderReport } = await import('@backfill/core/report/render-report');
  const page = renderReport(report, report.samples?.state === 'stored' ? 'apart' : 'gone');
  const csv = csvReport({ batchId, source: batch.source }, days, isCounted);
  const put = (name: string, text: string, type: string) =>
    store.put(archiveBucket, archiveLayout.report(batchId, name), Buffer.from(text), type, work?.signal);
  await put(CSV_REPORT, csv, 'text/csv');
  await put('report.html', page, 'text/html; charset=utf-8');
  await put('report.json', `${JSON.stringify(report, null, 2)}\n`, 'application/json');
  return report.status;
}
