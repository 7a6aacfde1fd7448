import { readMaskedLine } from '@backfill/api/read-masked-line';
import { listTracedLines } from '@backfill/core/db/queries/event-trace-line-list';
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

it('shows no line of a mirror that is being rewritten, before or while it is read', async () => {
  await runBatch(pipeline, 'rewritten', { 'a.log': accessLog(1_000, 1_010) });
  const { pool, store, config, logger } = pipeline.runtime;
  const { rows } = await pipeline.sql.query(
    `select event_id from analytics.backfill_lineage where batch_id = 'rewritten' order by line_no limit 1`,
  );
  const [at] = await listTracedLines(pool, rows[0].event_id);
  if (at === undefined) throw new Error('no line');
  // In a transaction, since the rollback service does what is to be moved as soon as it sees it.
  const client = await pool.connect();
  const read = (whenRead: () => Promise<unknown> = async () => undefined) => {
    const get: typeof store.get = async (...args) => {
      await whenRead();
      return store.get(...args);
    };
    return readMaskedLine({ pool: client as never, config, logger, store: { ...store, get } }, at, undefined);
  };
  const begin = () =>
    client.query(`insert into analytics.backfill_erasure_objects (batch_id, from_key) values ('rewritten', 'x')`);
  // Begun and ended while it is read.
  const change = () =>
    client.query(
      `update analytics.backfill_files set mirror_size = size, mirror_sha256 = repeat('0', 64) where batch_id = 'rewritten'`,
    );
  const rewritten = { text: null, missing: 'the mirror is being rewritten' };
  try {
    expect(await read()).toMatchObject({ missing: null });
    for (const step of [begin, change]) {
      await client.query('begin');
      expect(await read(step)).toEqual(rewritten);
      expect(await read()).toEqual(rewritten);
      await client.query('rollback');
    }
  } finally {
    client.release(true);
  }
});
