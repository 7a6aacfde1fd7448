import type { Readable } from 'node:stream';
import { archiveLayout, CSV_REPORT } from '@backfill/core/storage/layout';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { ApiServer } from '../api-server.ts';
import type { ApiContext } from '../context.ts';
import { Problem } from '../problem.ts';
import { readReportJson, readReportPage } from '../read-report.ts';
import { BatchParams } from '../schemas/batch-params.ts';
import { problemAnswers } from '../schemas/problem-answers.ts';

interface ReportForm {
  form: 'csv' | 'json' | 'html';
  type: string;
  headers: Record<string, string>;
  /** Undefined when there is no such report. */
  read(context: ApiContext, batchId: string): Promise<Readable | Buffer | string | undefined>;
}

/** The page runs nothing and loads nothing; its own policy is stricter still. */
const PAGE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The first words of one. */
const EXAMPLE_REPORT = { version: 2, batch_id: 'lost-day', status: 'awaiting_publish_approval' };

const FORMS: readonly ReportForm[] = [
  {
    form: 'csv',
    type: 'text/csv; charset=utf-8',
    headers: { 'content-disposition': `attachment; filename="${CSV_REPORT}"` },
    read: ({ store, config }, batchId) => openObject({ store, config }, archiveLayout.report(batchId, CSV_REPORT)),
  },
  { form: 'json', type: 'application/json; charset=utf-8', headers: {}, read: readReportJson },
  {
    form: 'html',
    type: 'text/html; charset=utf-8',
    headers: {
      'content-security-policy': PAGE_POLICY,
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    },
    read: readReportPage,
  },
];

async function openObject({ store, config }: Pick<ApiContext, 'store' | 'config'>, key: string) {
  const { archiveBucket } = config.storage;
  return (await store.exists(archiveBucket, key)) ? store.get(archiveBucket, key) : undefined;
}

function addReport(server: ApiServer, context: ApiContext, { form, type, headers, read }: ReportForm): void {
  const [mediaType = type] = type.split(';');
  const schema: z.ZodType = form === 'json' ? z.looseObject({}).meta({ examples: [EXAMPLE_REPORT] }) : z.string();
  server.get(
    `/v1/batches/:batch_id/report.${form}`,
    {
      config: { role: 'any' },
      schema: {
        operationId: `getReport${form.toUpperCase()}`,
        tags: ['reports'],
        summary: `The verification report, as ${form}`,
        params: BatchParams,
        response: {
          200: { description: 'The report of the last verification', content: { [mediaType]: { schema } } },
          ...problemAnswers(401, 404),
        },
      },
    },
    async ({ params }, reply): Promise<FastifyReply> => {
      const report = await read(context, params.batch_id);
      if (report === undefined) {
        throw new Problem('not-found', 'There is no such batch, or its verification has not written a report yet.');
      }
      // What it shows may be erased: nobody on the way is to keep it.
      const always = { 'cache-control': 'private, no-store', 'x-content-type-options': 'nosniff' };
      return reply
        .headers({ ...always, ...headers })
        .type(type)
        .send(report);
    },
  );
}

/** `GET /v1/batches/{batch_id}/report.csv`, `report.json` and `report.html`: as the verifier stored them in the archive. */
export function addGetReport(server: ApiServer, context: ApiContext): void {
  for (const form of FORMS) addReport(server, context, form);
}
