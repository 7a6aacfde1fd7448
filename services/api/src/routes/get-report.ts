import { archiveLayout, CSV_REPORT } from '@backfill/core/storage/layout';
import { z } from 'zod';
import type { ApiServer } from '../api-server.ts';
import type { ApiContext } from '../context.ts';
import { Problem } from '../problem.ts';
import { BatchParams } from '../schemas/batch-params.ts';
import { problemAnswers } from '../schemas/problem-answers.ts';

const REPORTS = [
  { route: 'report.csv', object: CSV_REPORT, type: 'text/csv; charset=utf-8' },
  { route: 'report.json', object: 'report.json', type: 'application/json; charset=utf-8' },
] as const;

type Report = (typeof REPORTS)[number];

function addReport(server: ApiServer, context: ApiContext, report: Report): void {
  const { archiveBucket } = context.config.storage;
  server.get(
    `/v1/batches/:batch_id/${report.route}`,
    {
      schema: {
        summary: `The verification report, as ${report.route.slice('report.'.length)}`,
        params: BatchParams,
        response: {
          200: {
            description: 'The report of the last verification',
            content: { [report.type]: { schema: z.unknown() } },
          },
          ...problemAnswers(401, 404),
        },
      },
    },
    async ({ params }, reply) => {
      const key = archiveLayout.report(params.batch_id, report.object);
      if (!(await context.store.exists(archiveBucket, key))) {
        throw new Problem('not-found', 'There is no such batch, or its verification has not written a report yet.');
      }
      reply.type(report.type);
      if (report.object === CSV_REPORT) {
        reply.header('content-disposition', `attachment; filename="${CSV_REPORT}"`);
      }
      return reply.send(await context.store.get(archiveBucket, key));
    },
  );
}

/** `GET /v1/batches/{batch_id}/report.csv` and `report.json`: streamed from the archive as the verifier stored them. */
export function addGetReport(server: ApiServer, context: ApiContext): void {
  for (const report of REPORTS) addReport(server, context, report);
}
