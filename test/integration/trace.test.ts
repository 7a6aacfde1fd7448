import { MASK } from '@backfill/core/report/samples';
import { archiveLayout } from '@backfill/core/storage/layout';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { accessLog } from '../support/access-log.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { deleteObject } from '../support/buckets.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { runBatch } from '../support/run-batch.ts';

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

it('tells the way of an event, from its line to its end', async () => {
  await runBatch(pipeline, 'traced', { 'a.log': accessLog(0, 30) });
  const { rows } = await pipeline.sql.query(
    `select event_id, subject_id, line_no from analytics.events_backfill_staging join analytics.backfill_lineage using (batch_id, event_id)
      where batch_id = 'traced' order by line_no limit 1 offset 6`,
  );
  const [{ event_id: eventId, subject_id: subjectId, line_no: lineNo }] = rows;
  const trace = async () => (await api.call('GET', `/v1/events/${encodeURIComponent(eventId)}`, 'viewer')).json;
  const staged = await trace();
  expect(staged).toMatchObject({ state: 'staged', owner: 'traced', source_file: 'a.log', line_no: Number(lineNo) });
  // Nobody has found it right yet: names only.
  const names = JSON.parse(staged.raw_line as string);
  expect(names).toMatchObject({ method: MASK, remote_addr: MASK });

  await pipeline.change('traced', 'awaiting_publish_approval', 'publishing');
  await pipeline.rest('traced', ['published']);
  await pipeline.sql.query(`select analytics.purge_staging(interval '0')`);
  const live = await trace();
  expect(live).toMatchObject({
    ...{ state: 'live', owner: 'traced', owner_kind: 'batch', event_name: 'page_requested', losers: [], handovers: [] },
    lines: [
      {
        ...{ byte_start: 0, first_line: 1, mirror_sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
        part_key: expect.stringContaining('traced'),
      },
    ],
  });
  expect(JSON.parse(live.raw_line as string)).toMatchObject({ method: 'GET', remote_addr: MASK, [MASK]: MASK });

  await deleteObject(
    pipeline.env,
    pipeline.runtime.config.storage.archiveBucket,
    archiveLayout.mirrorObject('traced', 'a.log'),
  );
  expect(await trace()).toMatchObject({
    state: 'live',
    raw_line: null,
    raw_line_missing: expect.stringContaining('mirror'),
  });
  await pipeline.change('traced', 'published', 'rolling_back');
  await pipeline.rest('traced', ['rolled_back']);
  expect(await trace()).toMatchObject({ state: 'tombstoned', owner_kind: 'none' });
  await pipeline.sql.query(`insert into analytics.privacy_suppressions (subject_id, reason) values ($1, 'objection')`, [
    subjectId,
  ]);
  expect(await trace()).toMatchObject({ state: 'suppressed', raw_line_missing: 'the person is suppressed' });
});
