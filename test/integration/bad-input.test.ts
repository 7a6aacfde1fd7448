import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { withTransaction } from '@backfill/core/db/transaction';
import { resumeBatch } from '@backfill/core/dispatch/resume-batch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ACCESS_WINDOW, accessLine, accessLog } from '../support/access-log.ts';
import { withoutApprovals } from '../support/config-dir.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await startPipeline();
});
afterAll(() => pipeline.dispose());

async function run(batchId: string, files: Record<string, Buffer | string>) {
  await pipeline.upload(batchId, files);
  await pipeline.submit({ batchId, source: 'web-access', window: ACCESS_WINDOW });
  return pipeline.rest(batchId);
}

const quarantine = async (batchId: string) =>
  (
    await pipeline.sql.query(
      `select source_file, line_no::int, reason from analytics.backfill_quarantine where batch_id = $1 order by 1, 2`,
      [batchId],
    )
  ).rows;

const staged = async (batchId: string) =>
  (
    await pipeline.sql.query<{ n: number }>(
      'select count(*)::int as n from analytics.events_backfill_staging where batch_id = $1',
      [batchId],
    )
  ).rows[0]?.n;

describe('input that is refused, by name and with a reason', () => {
  it('a prefix without objects', async () => {
    const batch = await run('nothing', {});
    expect(batch.status).toBe('failed');
    expect(batch.status_reason).toMatch(/there is no object under s3:\/\/raw-\w+\/nothing\//);
  });

  it('objects without a line', async () => {
    const batch = await run('empty', { 'a.log': '' });
    expect([batch.status, batch.status_reason]).toEqual(['failed', expect.stringMatching('no line in the 1 object')]);
  });

  it('a gzip that is cut off, with the last whole line', async () => {
    const log = Array.from({ length: 3_000 }, (_, n) => `${accessLine(n)} ${randomBytes(20).toString('hex')}\n`).join(
      '',
    );
    const whole = gzipSync(log);
    const batch = await run('cut', { 'a.log.gz': whole.subarray(0, whole.length / 2) });
    expect(batch.status).toBe('failed');
    expect(batch.status_reason).toMatch(/cut\/a\.log\.gz cannot be read to its end: .*after line [1-9]\d*/);
    expect(await staged('cut')).toBe(0);
  });

  it('an object that changes after it was pinned, and a new plan is made on resume', async () => {
    await pipeline.config.editPolicy((policy) => {
      policy.approvals.run = ['product_owner'];
    });
    const planned = await run('changed', { 'a.log': accessLog(50, 60) });
    expect(planned.status).toBe('awaiting_run_approval');
    await pipeline.config.editPolicy(withoutApprovals);
    await pipeline.upload('changed', { 'a.log': accessLog(51, 61) });
    await pipeline.change('changed', 'awaiting_run_approval', 'preparing');
    const failed = await pipeline.rest('changed', ['failed']);
    expect(failed.status_reason).toMatch(/changed\/a\.log was changed (since|after) it was p/);
    expect(await staged('changed')).toBe(0);

    await withTransaction(pipeline.runtime.pool, 'test', (client) => resumeBatch(client, 'changed'));
    expect((await pipeline.rest('changed', ['awaiting_publish_approval', 'failed'])).status).toBe(
      'awaiting_publish_approval',
    );
    expect(await staged('changed')).toBe(10);
  });

  it.each([
    ['manifest', 'manifest.json'],
    ['older-manifest', 'manifest-1.json'],
  ])('an object with the name of the mirror’s own %s', async (batchId, name) => {
    const batch = await run(batchId, { [name]: '{}\n', 'a.log': accessLog(20, 30) });
    expect(batch.status).toBe('failed');
    expect(batch.status_reason).toMatch(`${batchId}/${name} has the name of the mirror`);
  });

  it('objects whose names show who they are about, by their place and never by their name', async () => {
    const batch = await run('names', {
      'a.log': accessLog(20, 30),
      'alice@example.com.log': accessLog(30, 40),
      'manifest.json': '{}\n',
      'users/+49 151 23456789/b.log': accessLog(40, 50),
    });
    expect(batch.status).toBe('failed');
    expect(batch.status_reason).toMatch(
      /^plan: the names of 2 of the 4 objects under s3:\/\/raw-\w+\/names\/ look like personal data; in the order of their keys: 2 \(email\), 4 \(phone\)\./,
    );
    expect(batch.status_reason).not.toMatch(/alice|49 151/);
    expect(await pipeline.sql.query(`select from analytics.backfill_files where batch_id = 'names'`)).toMatchObject({
      rowCount: 0,
    });
  });

  it('nothing but garbage, before it goes any further than the canary', async () => {
    const batch = await run('garbage', { 'a.log': 'this is no access log\n'.repeat(3_000) });
    expect(batch.status).toBe('halted');
    expect(batch.status_reason).toMatch('none of the first 1000 lines can be read (parse: not_combined_log)');
    expect(batch.canary_passed).toBe(false);
  });
});

describe('lines that are quarantined, by file, line and reason, and nothing else is lost', () => {
  it('invalid UTF-8', async () => {
    const bytes = Buffer.concat([
      Buffer.from(accessLog(0, 2)),
      Buffer.from([0xc3, 0x28, 0x0a]),
      Buffer.from(accessLog(2, 4)),
    ]);
    const batch = await run('utf8', { 'a.log': bytes });
    expect(batch.status).toBe('awaiting_publish_approval');
    expect(await quarantine('utf8')).toEqual([{ source_file: 'a.log', line_no: 3, reason: 'invalid_utf8' }]);
    expect(await staged('utf8')).toBe(4);
  });

  it('a line of 50 MB between good ones, plain and compressed', async () => {
    const giant = Buffer.alloc(50 * 1024 * 1024, 'x');
    const bytes = Buffer.concat([Buffer.from(accessLog(100, 110)), giant, Buffer.from(`\n${accessLog(110, 115)}`)]);
    const batch = await run('giant', {
      'a.log': bytes,
      'b.log.gz': gzipSync(Buffer.concat([giant, Buffer.from(`\n${accessLog(200, 203)}`)])),
    });
    expect(batch.status).toBe('awaiting_publish_approval');
    expect(await quarantine('giant')).toEqual([
      { source_file: 'a.log', line_no: 11, reason: 'line_too_long' },
      { source_file: 'b.log.gz', line_no: 1, reason: 'line_too_long' },
    ]);
    expect(await staged('giant')).toBe(18);
  });

  it('no line end at the end, Windows line ends, blank lines', async () => {
    const batch = await run('ends', { 'a.log': `${accessLine(300)}\r\n\r\n${accessLine(301)}` });
    expect(batch.status).toBe('awaiting_publish_approval');
    expect(await staged('ends')).toBe(2);
    expect(await quarantine('ends')).toEqual([]);
    const { rows } = await pipeline.sql.query(
      `select sum(line_count)::int as read, sum(filtered)::int as filtered
         from analytics.backfill_import_parts where batch_id = 'ends'`,
    );
    expect(rows).toEqual([{ read: 3, filtered: 1 }]);
  });
});
