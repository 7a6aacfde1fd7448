import { hash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { REPORTED_STATUSES } from '@backfill/core/contracts/verification';
import { getBatch } from '@backfill/core/db/queries/batch-get';
import { withTransaction } from '@backfill/core/db/transaction';
import { enqueueOpenWork } from '@backfill/core/dispatch/change-status';
import { tryParseJson } from '@backfill/core/domain/try-json';
import { withNewStatus } from '@backfill/core/report/page/news';
import { type ShownSamples, withSamples } from '@backfill/core/report/page/samples-section';
import { Samples, SamplesReference } from '@backfill/core/report/samples';
import { archiveLayout } from '@backfill/core/storage/layout';
import { z } from 'zod';
import type { ApiContext } from './context.ts';

/** What of a stored report may be otherwise by now. */
const StoredReport = z.looseObject({
  status: z.string(),
  samples: SamplesReference.extend({ state: z.string() }).nullable(),
});

type ArchiveAccess = Pick<ApiContext, 'store' | 'config'>;
type StoredReport = z.infer<typeof StoredReport>;

async function readObject({ store, config }: ArchiveAccess, key: string): Promise<Buffer | undefined> {
  const { archiveBucket } = config.storage;
  return (await store.exists(archiveBucket, key)) ? buffer(await store.get(archiveBucket, key)) : undefined;
}

/** The samples that a report refers to; `gone` when there are none of exactly these bytes any more. */
async function readSamples(archive: ArchiveAccess, { key, sha256 }: SamplesReference): Promise<ShownSamples> {
  const bytes = await readObject(archive, key);
  if (bytes === undefined || hash('sha256', bytes, 'hex') !== sha256) return 'gone';
  return Samples.safeParse(tryParseJson(bytes.toString('utf8'))).data ?? 'gone';
}

/**
 * A batch's `report.json` as it was stored; where its samples have expired or were erased since, it says so. Reports of
 * before there were samples stay as they are. Undefined when there is none.
 */
export async function readReportJson(archive: ArchiveAccess, batchId: string): Promise<Buffer | undefined> {
  const bytes = await readObject(archive, archiveLayout.report(batchId, 'report.json'));
  const report = bytes && StoredReport.safeParse(tryParseJson(bytes.toString('utf8'))).data;
  if (bytes === undefined || report?.samples == null || report.samples.state !== 'stored') return bytes;
  if ((await readSamples(archive, report.samples)) !== 'gone') return bytes;
  const told = { ...report, samples: { ...report.samples, state: 'expired or erased' } };
  return Buffer.from(`${JSON.stringify(told, null, 2)}\n`);
}

/**
 * A batch's page with its samples, or the word that they are gone; it tells where the batch has another status by now
 * than the report says. Undefined when there is none.
 */
export async function readReportPage(context: ApiContext, batchId: string): Promise<string | undefined> {
  const page = (await readObject(context, archiveLayout.report(batchId, 'report.html')))?.toString('utf8');
  const json = page && (await readObject(context, archiveLayout.report(batchId, 'report.json')));
  const report = json && StoredReport.safeParse(tryParseJson(json.toString('utf8'))).data;
  if (!page || !report) return page;
  const { samples } = report;
  const whole = samples === null ? page : withSamples(page, samples, await readSamples(context, samples));
  const status = await newStatus(context, batchId, report);
  return status === undefined ? whole : withNewStatus(whole, status);
}

/**
 * The batch's status where the report was written for another one. Somebody may have taken the batch back in psql, where
 * nobody writes reports: that work is written down here.
 */
async function newStatus({ pool }: ApiContext, batchId: string, report: StoredReport): Promise<string | undefined> {
  const batch = await getBatch(pool, batchId);
  // A report of a verification is written just before the status that comes of it.
  const isSame = batch === undefined || batch.status === report.status || report.status === 'verifying';
  if (isSame) return undefined;
  if (REPORTED_STATUSES.includes(batch.status)) {
    await withTransaction(pool, 'api', (client) => enqueueOpenWork(client, batch));
  }
  return batch.status;
}
