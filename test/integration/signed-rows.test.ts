import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessLog } from '../support/access-log.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { runBatch } from '../support/run-batch.ts';

// What is published is what was signed, and the books say what was left out.
let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await startPipeline();
});
afterAll(() => pipeline.dispose());

async function leafOf(batchId: string): Promise<string> {
  const { rows } = await pipeline.sql.query<{ leaf: string }>(
    `select analytics.staging_leaf(batch_no) as leaf from analytics.backfill_batches where batch_id = $1`,
    [batchId],
  );
  return `analytics.${rows[0]?.leaf}`;
}

const liveRows = async (batchId: string) =>
  (await pipeline.sql.query('select 1 from analytics.events_log where batch_id = $1', [batchId])).rowCount;

describe('a batch whose staged rows were tampered with after the verification is not published', () => {
  it.each([
    ['emptied', 1_000, (leaf: string) => `alter table ${leaf} disable trigger all; truncate ${leaf}`],
    [
      'added-to',
      2_000,
      (
        leaf: string,
      ) => `insert into ${leaf} select analytics.event_id(source, event_ts - interval '1 s', payload), batch_id,
        source, event_name, schema_version, event_ts - interval '1 s', session_id, subject_id, payload, part_id,
        is_duplicate, duplicate_kind from ${leaf} limit 1`,
    ],
    [
      'changed',
      3_000,
      (
        leaf: string,
      ) => `alter table ${leaf} disable trigger all; update ${leaf} set schema_version = '9-9-9' where ctid =
        (select min(ctid) from ${leaf})`,
    ],
  ])('%s', async (batchId, offset, tamper) => {
    expect((await runBatch(pipeline, batchId, { 'a.log': accessLog(offset, offset + 20) })).status).toBe(
      'awaiting_publish_approval',
    );
    await pipeline.sql.query(tamper(await leafOf(batchId)));
    await pipeline.change(batchId, 'awaiting_publish_approval', 'publishing');
    const failed = await pipeline.rest(batchId, ['failed']);
    expect(failed.status_reason).toMatch('not the ones that were verified and signed');
    expect(await liveRows(batchId)).toBe(0);
  });
});

it('refuses to empty staging or the audit log by hand', async () => {
  await runBatch(pipeline, 'kept', { 'a.log': accessLog(30_000, 30_005) });
  await expect(pipeline.sql.query(`truncate ${await leafOf('kept')}`)).rejects.toThrow('append-only');
  await expect(pipeline.sql.query('truncate analytics.backfill_audit_log')).rejects.toThrow('append-only');
});

it('books what a publish leaves out, so that the balance stays true', async () => {
  await runBatch(pipeline, 'partial', { 'a.log': accessLog(40_000, 42_000) });
  const { rows: staged } = await pipeline.sql.query<{ event_id: string; subject_id: string }>(
    `select event_id, subject_id from analytics.events_backfill_staging where batch_id = 'partial' order by event_id`,
  );
  const [first, second] = staged;
  await pipeline.sql.query(
    `insert into analytics.privacy_suppressions (subject_id, reason, effective_from)
     values ($1, 'objection', now()), ($2, 'objection, from next year', now() + interval '1 year')`,
    [first?.subject_id, second?.subject_id],
  );
  const live = staged.find((row) => row.subject_id !== first?.subject_id && row.event_id !== second?.event_id);
  await pipeline.sql.query(
    `insert into analytics.events (event_id, source, event_name, schema_version, event_ts, payload)
     select event_id, source, event_name, schema_version, event_ts, payload
       from analytics.events_backfill_staging where batch_id = 'partial' and event_id = $1`,
    [live?.event_id],
  );
  const suppressed = staged.filter((row) => row.subject_id === first?.subject_id).length;
  await pipeline.change('partial', 'awaiting_publish_approval', 'publishing');
  const published = await pipeline.rest('partial', ['published']);
  expect(published.row_count).toBe(2_000 - suppressed - 1);
  const { rows } = await pipeline.sql.query(
    `select sum(inserted)::int as inserted, sum(suppressed)::int as suppressed, sum(duplicate_live)::int as live
       from analytics.backfill_import_parts where batch_id = 'partial'`,
  );
  expect(rows).toEqual([{ inserted: 1_999 - suppressed, suppressed, live: 1 }]);
});
