import { hash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { REPORTED_STATUSES } from '@backfill/core/contracts/verification';
import { getBatch } from '@backfill/core/db/queries/batch-get';
import { listGateResults } from '@backfill/core/db/queries/gate-result-list';
import { withTransaction } from '@backfill/core/db/transaction';
import { enqueueOpenWork } from '@backfill/core/dispatch/change-status';
import { tryParseJson } from '@backfill/core/domain/try-json';
import { withDecisions } from '@backfill/core/report/page/current-decisions';
import { withNewStatus } from '@backfill/core/report/page/news';
import { type ShownSamples, withSamples } from '@backfill/core/report/page/samples-section';
import type { Report } from '@backfill/core/report/report';
import { Samples, SamplesReference } from '@backfill/core/report/samples';
import { judge } from '@backfill/core/report/verdict';
import { readDecisions } from '@backfill/core/runtime/read-decisions';
import { archiveLayout } from '@backfill/core/storage/layout';
import { z } from 'zod';
import type { ApiContext } from './context.ts';

/** What of a stored report may be otherwise by now. */
const StoredReport = z.looseObject({
  version: z.number(),
  batch_id: z.string(),
  attempt: z.number(),
  status: z.string(),
  plan_hash: z.string().nullable(),
  gate_set_hash: z.string().nullable(),
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

/** A stored report with what people have decided since about just what it shows; undefined where that is nothing. */
async function readCurrent({ pool }: Pick<ApiContext, 'pool'>, report: StoredReport): Promise<Report | undefined> {
  const batch = await getBatch(pool, report.batch_id);
  if (batch === undefined || report.version !== 2 || report.gate_set_hash === null) return undefined;
  const isSame =
    report.attempt === batch.attempt &&
    report.plan_hash === batch.plan_hash &&
    report.gate_set_hash === batch.gate_set_hash;
  if (!isSame) return undefined;
  const told = {
    ...(report as unknown as Report),
    ...(await readDecisions(pool, batch, await listGateResults(pool, [batch.batch_id]))),
  };
  const { import_limit, canary_passed } = batch;
  return { ...told, verdict: judge({ ...told, import_limit, canary_passed }) };
}

function parseStored(bytes: Buffer | undefined): StoredReport | undefined {
  return bytes && StoredReport.safeParse(tryParseJson(bytes.toString('utf8'))).data;
}

/**
 * A batch's `report.json` as it was stored, with the signatures and decisions that were given since; where its samples have
 * expired or were erased since, it says so. Reports of before there were samples stay as they are. Undefined when there is
 * none.
 */
export async function readReportJson(
  context: ArchiveAccess & Pick<ApiContext, 'pool'>,
  batchId: string,
): Promise<Buffer | undefined> {
  const bytes = await readObject(context, archiveLayout.report(batchId, 'report.json'));
  const report = parseStored(bytes);
  if (report === undefined) return bytes;
  const { samples } = report;
  const isGone = samples?.state === 'stored' && (await readSamples(context, samples)) === 'gone';
  const current = await readCurrent(context, report);
  if (!isGone && current === undefined) return bytes;
  const told = { ...(current ?? report), ...(isGone && { samples: { ...samples, state: 'expired or erased' } }) };
  return Buffer.from(`${JSON.stringify(told, null, 2)}\n`);
}

/**
 * A batch's page with its samples, or the word that they are gone, and with the signatures and decisions that were given
 * since it was written; it tells where the batch has another status by now than the report says. Undefined when there is
 * none.
 */
export async function readReportPage(context: ApiContext, batchId: string): Promise<string | undefined> {
  const page = (await readObject(context, archiveLayout.report(batchId, 'report.html')))?.toString('utf8');
  const report = page && parseStored(await readObject(context, archiveLayout.report(batchId, 'report.json')));
  if (!page || !report) return page;
  const { samples } = report;
  const whole = samples === null ? page : withSamples(page, samples, await readSamples(context, samples));
  const current = await readCurrent(context, report);
  const decided = current === undefined ? whole : withDecisions(whole, current);
  const status = await newStatus(context, batchId, report);
  return status === undefined ? decided : withNewStatus(decided, status);
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
