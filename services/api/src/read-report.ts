import { hash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { tryParseJson } from '@backfill/core/domain/try-json';
import { type ShownSamples, withSamples } from '@backfill/core/report/page/samples-section';
import { Samples, SamplesReference } from '@backfill/core/report/samples';
import { archiveLayout } from '@backfill/core/storage/layout';
import { z } from 'zod';
import type { ApiContext } from './context.ts';

/** What of a stored report depends on an object that may be gone by now. */
const ReportWithSamples = z.looseObject({ samples: SamplesReference.extend({ state: z.string() }).nullable() });

type ArchiveAccess = Pick<ApiContext, 'store' | 'config'>;

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
  const report = bytes && ReportWithSamples.safeParse(tryParseJson(bytes.toString('utf8'))).data;
  if (bytes === undefined || report?.samples == null || report.samples.state !== 'stored') return bytes;
  if ((await readSamples(archive, report.samples)) !== 'gone') return bytes;
  const told = { ...report, samples: { ...report.samples, state: 'expired or erased' } };
  return Buffer.from(`${JSON.stringify(told, null, 2)}\n`);
}

/** A batch's page with its samples, or the word that they are gone; undefined when there is none. */
export async function readReportPage(archive: ArchiveAccess, batchId: string): Promise<string | undefined> {
  const page = (await readObject(archive, archiveLayout.report(batchId, 'report.html')))?.toString('utf8');
  const json = page && (await readObject(archive, archiveLayout.report(batchId, 'report.json')));
  const samples = json && ReportWithSamples.safeParse(tryParseJson(json.toString('utf8'))).data?.samples;
  if (!page || !samples) return page;
  return withSamples(page, samples, await readSamples(archive, samples));
}
