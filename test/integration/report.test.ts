import { hash } from 'node:crypto';
import { text } from 'node:stream/consumers';
import type { Report } from '@backfill/core/report/report';
import { MASK, Samples } from '@backfill/core/report/samples';
import { archiveLayout } from '@backfill/core/storage/layout';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessLog } from '../support/access-log.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { eventLine, WINDOW } from '../support/app-events.ts';
import { deleteObject } from '../support/buckets.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { runBatch } from '../support/run-batch.ts';
import { waitFor } from '../support/wait-for.ts';

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

const get = (batchId: string, form: string) => api.call('GET', `/v1/batches/${batchId}/report.${form}`, 'viewer');

/** The report once it is about this status: it is written anew after each change. */
async function reportOf(batchId: string, status: string): Promise<Report> {
  return waitFor(`a report of ${batchId} as ${status}`, async () => {
    const { json } = await get(batchId, 'json');
    return json.status === status ? (json as unknown as Report) : undefined;
  });
}

async function readSamples(report: Report): Promise<Samples> {
  const { store, config } = pipeline.runtime;
  const bytes = await text(await store.get(config.storage.archiveBucket, report.samples?.key ?? ''));
  expect(hash('sha256', bytes, 'hex')).toBe(report.samples?.sha256);
  return Samples.parse(JSON.parse(bytes));
}

describe('the report of a batch', () => {
  it('has all that its page shows, after every step', async () => {
    await runBatch(pipeline, 'steps', { 'a.log': accessLog(0, 60), 'b.log': `${accessLog(60, 90)}no line\n` });
    const ready = await reportOf('steps', 'awaiting_publish_approval');
    expect(ready).toMatchObject({
      version: 2,
      source: 'web-access',
      reason: 'outage',
      balance: { read: 91, inserted: 90, quarantined: 1 },
      files: [
        { source_file: 'a.log', read: 60 },
        { source_file: 'b.log', read: 31 },
      ],
      rows: 90,
      is_counted: false,
      days: [{ event_name: 'page_requested', day: '2026-11-01', pre_count: 0, batch_count: 90 }],
      missing_approvals: { run: [], publish: [] },
      visibility: { allowed: 30, observed: null },
      samples: { events: 20, state: 'stored' },
    });
    expect(ready.verdict).toMatchObject({
      outcome: 'ready',
      sentence: expect.stringMatching(/^All \d+ gates passed: 90 events/),
    });
    expect(ready.verdict.next).toContainEqual({
      command: './backfill publish steps --watch',
      effect: expect.any(String),
    });
    const { rows } = await pipeline.sql.query(
      `select plan_hash, gate_set_hash, rows_digest, checksum from analytics.backfill_batches where batch_id = 'steps'`,
    );
    expect(ready).toMatchObject(rows[0]);
    const manifest = JSON.parse(
      await text(
        await pipeline.runtime.store.get(
          pipeline.runtime.config.storage.archiveBucket,
          archiveLayout.manifest('steps'),
        ),
      ),
    );
    expect([ready.mirror_checksum, ready.raw_checksum]).toEqual([manifest.checksum, manifest.checksum]);

    await pipeline.change('steps', 'awaiting_publish_approval', 'publishing');
    const published = await reportOf('steps', 'published');
    expect(published.verdict).toMatchObject({
      outcome: 'published',
      sentence: 'Published: 90 events of this batch are live.',
    });
    expect(published).toMatchObject({ is_counted: true, is_frozen: false, samples: ready.samples });
    expect(published.visibility).toEqual({ allowed: 30, observed: expect.any(Number) });

    await pipeline.change('steps', 'published', 'rolling_back');
    const back = await reportOf('steps', 'rolled_back');
    expect(back).toMatchObject({
      verdict: { outcome: 'rolled_back' },
      rollback: { tombstoned: 90, live_rows_after: 0 },
    });
    expect((await get('steps', 'html')).text).toContain('no event of this batch is live; 90 rows taken back');
  });

  it('says that the batch was taken back in psql, and is written anew', async () => {
    await runBatch(pipeline, 'by-hand', { 'a.log': accessLog(40_000, 40_030) });
    await pipeline.change('by-hand', 'awaiting_publish_approval', 'publishing');
    await reportOf('by-hand', 'published');
    await pipeline.sql.query(`select analytics.tombstone_batch('by-hand')`);
    expect((await get('by-hand', 'html')).text).toContain('This batch is rolled back by now');
    expect(await reportOf('by-hand', 'rolled_back')).toMatchObject({ rollback: { tombstoned: 30 } });
    expect((await get('by-hand', 'html')).text).not.toContain('by now');
  });

  it('shows each signer the signatures so far, without another report', async () => {
    await pipeline.config.editPolicy(({ approvals }) => {
      approvals.publish = ['data_engineering_lead', 'product_analytics_manager'];
    });
    try {
      await runBatch(pipeline, 'signers', { 'a.log': accessLog(50_000, 50_030) });
    } finally {
      await pipeline.config.editPolicy(({ approvals }) => {
        approvals.publish = [];
      });
    }
    const before = await reportOf('signers', 'awaiting_publish_approval');
    expect(before.missing_approvals?.publish).toEqual(['data_engineering_lead', 'product_analytics_manager']);
    const body = {
      stage: 'publish',
      role: 'data_engineering_lead',
      decision: 'approve',
      comment: 'I counted <twice>.',
    };
    const answer = await api.call('POST', '/v1/batches/signers/approvals', 'data_engineering_lead', body);
    expect(answer.status).toBe(201);
    const after = (await get('signers', 'json')).json as unknown as Report;
    const { approvals, missing_approvals, verdict, ...rest } = after;
    expect(before).toMatchObject(rest);
    expect(approvals).toMatchObject([
      { role: 'data_engineering_lead', decision: 'approve', bound_hash: before.gate_set_hash, counts: true },
    ]);
    expect(missing_approvals?.publish).toEqual(['product_analytics_manager']);
    const commands = verdict.next.map(({ command }) => command);
    expect(commands.filter((command) => command.includes('approve'))).toEqual([
      './backfill approve signers --role product_analytics_manager',
    ]);
    const page = (await get('signers', 'html')).text;
    expect(page).toContain('<q>I counted &lt;twice&gt;.</q>');
    expect(page).not.toContain('approve signers --role data_engineering_lead');
    expect(page.match(/id="approvals"/g)).toHaveLength(1);
  });

  it('says of failed gates what failed, and what to do', async () => {
    const lines = [...Array.from({ length: 9 }, (_, at) => eventLine(at)), eventLine(0)];
    await pipeline.upload('failed', { 'a.ndjson': `${lines.join('\n')}\n` });
    await pipeline.submit({ batchId: 'failed', source: 'app', window: WINDOW });
    await pipeline.rest('failed', ['gates_failed', 'halted']);
    const report = await reportOf('failed', 'gates_failed');
    expect(report.verdict.sentence).toMatch(/gates failed \(duplicates\): nothing is published\.$/);
    expect(report.incidents).toMatchObject([{ kind: 'gates_failed', closed_at: null }]);
    expect((await get('failed', 'html')).text).toContain('post-mortem is due by');
  });
});

describe('the samples', () => {
  it('lie beside the report, masked, and the page that is stored does not hold them', async () => {
    await runBatch(pipeline, 'samples', { 'a.log': accessLog(10_000, 10_040) });
    const report = await reportOf('samples', 'awaiting_publish_approval');
    const { samples } = await readSamples(report);
    expect(samples.length).toBe(20);
    const [first] = samples;
    expect(first?.matches).toBe(true);
    expect(JSON.parse(first?.raw_line ?? '')).toMatchObject({ remote_addr: MASK, method: 'GET', [MASK]: MASK });
    const { store, config } = pipeline.runtime;
    const stored = await text(
      await store.get(config.storage.archiveBucket, archiveLayout.report('samples', 'report.html')),
    );
    expect(stored).not.toContain(first?.event_id);
    const served = await get('samples', 'html');
    expect(served.status).toBe(200);
    for (const { row } of samples) expect(served.text).toContain(row.subject_id);
    expect(served.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(served.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(served.headers.get('x-content-type-options')).toBe('nosniff');
    expect(served.headers.get('cache-control')).toBe('private, no-store');
  });

  it('may be gone or others, and the report says so', async () => {
    await runBatch(pipeline, 'erased', { 'a.log': accessLog(20_000, 20_040) });
    const report = await reportOf('erased', 'awaiting_publish_approval');
    const { archiveBucket } = pipeline.runtime.config.storage;
    const key = report.samples?.key ?? '';
    const [first] = (await readSamples(report)).samples;
    const gone = async () => {
      const { json } = await get('erased', 'json');
      expect(json).toEqual({ ...report, samples: { ...report.samples, state: 'expired or erased' } });
      const page = (await get('erased', 'html')).text;
      expect(page).toContain('The samples are expired or erased.');
      expect(page).not.toContain(first?.event_id);
    };
    await pipeline.runtime.store.put(archiveBucket, key, Buffer.from('{"samples":[]}'), 'application/json');
    await gone();
    await deleteObject(pipeline.env, archiveBucket, key);
    await gone();
    // Written again, it says so by itself.
    await pipeline.change('erased', 'awaiting_publish_approval', 'publishing');
    expect(await reportOf('erased', 'published')).toMatchObject({ samples: { state: 'expired or erased' } });
  });
});
