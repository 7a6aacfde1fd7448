import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApi, type TestApi } from '../support/api.ts';
import { eventLine, WINDOW } from '../support/app-events.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';

const SUBMIT = '0b9f5f4e-6d0a-4a53-9c1e-2f3f6a0c7d11';
const PUBLISH = '4bf92f3577b34da6a3ce929d0e0e4736';

let pipeline: Pipeline;
let api: TestApi;
beforeAll(async () => {
  pipeline = await startPipeline();
  api = await startApi({ environment: pipeline, config: pipeline.config });
});
afterAll(async () => {
  await api?.dispose();
  await pipeline?.dispose();
});

async function post(requestId: string, route: string, token: string, body: object): Promise<number> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'x-request-id': requestId };
  const { status } = await fetch(api.url + route, { method: 'POST', headers, body: JSON.stringify(body) });
  return status;
}

it('is in the audit log for whatever goes back to the request, to the last worker', async () => {
  await pipeline.upload('traced', {
    'a.ndjson': `${Array.from({ length: 20 }, (_, at) => eventLine(at)).join('\n')}\n`,
  });
  const body = {
    batch_id: 'traced',
    source: 'app',
    reason: 'outage',
    input: `s3://${api.rawBucket}/traced/`,
    window: { start: WINDOW.start, end: WINDOW.end },
  };
  expect(await post(SUBMIT, '/v1/batches', 'submitter', body)).toBe(202);
  await pipeline.rest('traced', ['awaiting_publish_approval']);
  expect(await post(PUBLISH, '/v1/batches/traced/publish', 'operator', {})).toBe(202);
  await pipeline.rest('traced', ['published']);
  const { rows } = await pipeline.sql.query<{ what: string; request_id: string | null }>(
    `select case action when 'status' then detail ->> 'to' else action end as what, detail ->> 'request_id' as request_id
       from analytics.backfill_audit_log where batch_id = 'traced' and action in ('submit', 'status') order by audit_id`,
  );
  expect(rows.map(({ what, request_id }) => [what, request_id])).toEqual([
    ...['submit', 'planning', 'preparing', 'canary', 'importing', 'verifying', 'awaiting_publish_approval'].map(
      (what) => [what, SUBMIT],
    ),
    ...['publishing', 'published'].map((what) => [what, PUBLISH]),
  ]);
});

it('is on each line of the log that is written on behalf of it, and on no other', async () => {
  const core = path.join(import.meta.dirname, '../../packages/core/src');
  const script = `
    import { createLogger } from '${core}/observability/logger.ts';
    import { withRequestId } from '${core}/request-scope.ts';
    const logger = createLogger('importer', 'info');
    await Promise.all([
      withRequestId('one', async () => { await new Promise(setImmediate); logger.child({ part: 1 }).info('part imported'); }),
      withRequestId('two', async () => logger.info('part imported')),
      withRequestId(undefined, async () => logger.info('part imported')),
    ]);
    logger.info('service stopping');`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { request_id?: string }).request_id);
  expect(lines.filter((id) => id !== undefined).sort()).toEqual(['one', 'two']);
  expect(lines).toHaveLength(4);
});
